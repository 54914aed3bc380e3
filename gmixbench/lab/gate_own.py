"""gmixbench's own files as sides of a comparison: a run's scores, and a release of a history."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gmixbench.lab import store
from gmixbench.lab.results import case_row
from gmixbench.record import case_from_dict
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.spec import MODELS

KIND = "gmixbench"

MACHINE = ("cpu", "cores", "platform", "machine_id")
"""What an environment tells of the machine; all else in it are versions."""


def is_scores(data: Mapping[str, Any]) -> bool:
    """Whether this is what `gmixbench run` leaves as `scores.json`."""
    return "scores" in data and "failures" in data


def is_release(data: Mapping[str, Any]) -> bool:
    """Whether this is a release's file of a history."""
    return "release" in data and "measurements" in data


def read_scores(path: Path, data: Mapping[str, Any], run: str) -> Side:
    """Scores of a run; a planned case that has none is told as a fault."""
    cases: dict[Key, tuple[Replicate, ...]] = {}
    rows = [*data["scores"], *data["failures"]]
    for row in rows:
        key = key_of(row)
        cases[key] = (*cases.get(key, ()), replicate_of(row, run))
    measured = {(key_of(row), row["seed"]) for row in rows}
    for key, seed in _planned(path.parent):
        if (key, seed) not in measured:
            lost = Replicate(run, seed, {}, ("planned, and not measured",))
            cases[key] = (*cases.get(key, ()), lost)
    environment = data["environment"]
    return Side(str(path), KIND, machines_of(environment), cases, versions_of(environment))


def read_release(path: Path, data: Mapping[str, Any]) -> Side:
    """A release of a history: each round is a run."""
    cases: dict[Key, tuple[Replicate, ...]] = {}
    machines = dict[str, None]()
    for row in data["measurements"]:
        key = key_of(case_row(case_from_dict(row["case"])))
        faults = [row["failure"]] if row["failure"] else row["reasons"]
        run = f"{row['session']} round {row['round']}"
        one = Replicate(
            run,
            row["case"]["seed"],
            row["metrics"] or {},
            () if row["valid"] else tuple(faults or ["judged invalid"]),
        )
        cases[key] = (*cases.get(key, ()), one)
        if row["environment"]:
            # A session is measured on one machine.
            machines.update(dict.fromkeys(machines_of(row["environment"], row["session"])))
    return Side(str(path), KIND, tuple(machines), cases, data["release"]["packages"])


def machines_of(environment: Mapping[str, str], name: str | None = None) -> tuple[str, ...]:
    """The machine of an environment, if it is told which; processor and system don't tell.

    So a file from before `machine_id` was written is read as one of an unknown machine: all in it
    is judged but its timings.

    Parameters
    ----------
    name : what else tells the machine, where the environment does not
    """
    which = environment.get("machine_id", name)
    if which is None:
        return ()
    told = {key: environment[key] for key in ("cpu", "cores", "platform") if key in environment}
    if "cores" in told:
        told["cores"] += " cores"
    return (f"{which}: {', '.join(told.values())}",)


def versions_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Versions in an environment."""
    return {name: version for name, version in environment.items() if name not in MACHINE}


def key_of(row: Mapping[str, Any]) -> Key:
    """Key of a row of `scores.json`."""
    mixture = row["mixture"]
    return Key(
        dataset=row["dataset"],
        model=row["model"],
        backend=row["backend"],
        method=row["method"],
        settings=_text({**row["settings"], **_unusual(mixture)}),
        stack=row["stack"],
    )


def replicate_of(row: Mapping[str, Any], run: str) -> Replicate:
    """What a row of `scores.json` tells, or why its run failed or is invalid."""
    if "kind" in row:
        return Replicate(run, row["seed"], {}, (f"{row['kind']}: {row['message']}",))
    faults = () if row["valid"] else tuple(row["reasons"] or ["judged invalid"])
    return Replicate(run, row["seed"], row["metrics"], faults)


def _planned(folder: Path) -> Iterator[tuple[Key, int]]:
    plan = store.read_plan(folder)
    for case in plan.cases if plan else ():
        yield key_of(case_row(case)), case.seed


def _unusual(mixture: Mapping[str, float]) -> Mapping[str, float]:
    """The mixture's numbers, where they are not those of the package."""
    model = MODELS["ordered"]
    usual = {
        "sigma": model.sigma,
        "prior_mean": model.prior.mean,
        "prior_scale": model.prior.scale,
    }
    return {} if mixture == usual else mixture


def _text(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())

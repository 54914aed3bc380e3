"""gmixbench's own files as sides of a comparison: a run's scores, and a release of a history."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gmixbench.disk import SCHEMA, case_from_dict
from gmixbench.lab import store
from gmixbench.lab.datasets import load
from gmixbench.lab.results import case_row, mixture_row
from gmixbench.lab.store import data_sha256
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.spec import ALL_MODELS, DATASETS, MIXTURE, row_name

KIND = "gmixbench"

NO_DIGESTS: Mapping[str, str] = MappingProxyType({})

MACHINE = ("cpu", "cores", "platform", "machine_id")
"""What an environment tells of the machine; all else in it are versions."""


def is_scores(data: Mapping[str, Any]) -> bool:
    """Whether this is what `gmixbench run` leaves as `scores.json`."""
    return "scores" in data and "failures" in data


def check_schema(data: Mapping[str, Any]) -> None:
    """Refuse what another version wrote in another form.

    Raises
    ------
    ValueError
        It has another schema than ours.
    """
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']} where {SCHEMA} was expected")


def is_release(data: Mapping[str, Any]) -> bool:
    """Whether this is a release's file of a history."""
    return "release" in data and "measurements" in data


def read_scores(path: Path, data: Mapping[str, Any], run: str) -> Side:
    """Scores of a run; a planned case that has none is told as a fault."""
    check_schema(data)
    cases: dict[Key, tuple[Replicate, ...]] = {}
    rows = [*data["scores"], *data["failures"]]
    digests = data.get("data_sha256", {})
    for row in rows:
        key = key_of(row, digests)
        cases[key] = (*cases.get(key, ()), replicate_of(row, run))
    measured = {(key_of(row, digests), row["seed"]) for row in rows}
    for key, seed in _planned(path.parent, digests):
        if (key, seed) not in measured:
            lost = Replicate(run, seed, {}, ("planned, and not measured",))
            cases[key] = (*cases.get(key, ()), lost)
    environment = data["environment"]
    unknown = {key.dataset for key in cases} - digests.keys() - set(DATASETS)
    return Side(
        str(path),
        KIND,
        machines_of(environment),
        cases,
        versions_of(environment),
        notes=tuple(f"{name} is taken for the same data: {path} has no digest" for name in unknown),
    )


def read_release(path: Path, data: Mapping[str, Any]) -> Side:
    """A release of a history: each round is a run."""
    check_schema(data)
    cases: dict[Key, tuple[Replicate, ...]] = {}
    machines = dict[str, None]()
    for row in data["measurements"]:
        key = key_of(case_row(case_from_dict(row["case"])))
        reasons = [row["failure"]] if row["failure"] else row["reasons"]
        run = f"{row['session']} round {row['round']}"
        one = Replicate(
            run,
            row["case"]["seed"],
            row["metrics"] or {},
            faults_of(row["valid"], reasons),
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


def key_of(row: Mapping[str, Any], digests: Mapping[str, str] = NO_DIGESTS) -> Key:
    """Key of a row of `scores.json`.

    Parameters
    ----------
    digests : of data, by name; what is not the package's own data of that name is another case
    """
    mixture = row["mixture"]
    return Key(
        dataset=row["dataset"],
        model=row["model"],
        # Files from before there were other forms don't tell of any.
        backend=row_name(row["backend"], row.get("likelihood", MIXTURE)),
        method=row["method"],
        settings=_text(
            {
                **row["settings"],
                **_unusual(mixture, row["model"]),
                **_foreign(row["dataset"], digests),
            }
        ),
        stack=row["stack"],
    )


def replicate_of(row: Mapping[str, Any], run: str) -> Replicate:
    """What a row of `scores.json` tells, or why its run failed or is invalid."""
    if "kind" in row:
        return Replicate(run, row["seed"], {}, (f"{row['kind']}: {row['message']}",))
    return Replicate(run, row["seed"], row["metrics"], faults_of(row["valid"], row["reasons"]))


def faults_of(valid: Any, reasons: Any) -> tuple[str, ...]:
    """Why a run is invalid; empty where it is valid.

    Raises
    ------
    ValueError
        They are of other types than what we write.
    """
    if type(valid) is not bool or type(reasons) is not list:
        raise ValueError(f"valid is {valid!r} and reasons are {reasons!r}")
    return () if valid else tuple(reasons or ["judged invalid"])


def _foreign(name: str, digests: Mapping[str, str]) -> Mapping[str, str]:
    """Digest of data that are not those of the package."""
    told = digests.get(name)
    if told is None or (name in DATASETS and told == data_sha256(load(name).x)):
        return {}
    return {"data": told[:12]}


def _planned(folder: Path, digests: Mapping[str, str]) -> Iterator[tuple[Key, int]]:
    plan = store.read_plan(folder)
    for case in plan.cases if plan else ():
        yield key_of(case_row(case), digests), case.seed


def _unusual(mixture: Mapping[str, float], name: str) -> Mapping[str, float]:
    """The mixture's numbers, where they are not those of the package's model of that name."""
    usual = mixture_row(ALL_MODELS[name]) if name in ALL_MODELS else {}
    return {} if mixture == usual else mixture


def _text(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())

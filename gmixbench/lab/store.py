"""The folder of a run: what was planned, the data, and a record for each case.

`plan.json` names the cases and the environment; `data/NAME.npy` holds the observations, so that
all can be scored again without the file they came from; `runs/` holds the records.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmixbench.record import (
    SCHEMA,
    DamagedRecordError,
    Record,
    case_from_dict,
    case_key,
    case_to_dict,
    has_record,
    read_record,
    write_array,
    write_bytes,
)
from gmixbench.spec import Case, Dataset, Prior


class FolderError(ValueError):
    """A folder that can't be used for this run; the message says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What a folder is for: its profile, its cases, and the versions it measures."""

    profile: str
    cases: tuple[Case, ...]
    environment: dict[str, str]


def stem(out: Path, case: Case) -> Path:
    """Where the record of a case stands, without its suffix."""
    return out / "runs" / case_key(case)


def pending(out: Path, cases: Sequence[Case]) -> list[Case]:
    """Cases that have no record yet."""
    return [case for case in cases if not has_record(stem(out, case))]


def records(out: Path) -> list[Record]:
    """Records of all planned cases that have one, in the plan's order.

    Raises
    ------
    FolderError
        The folder holds no run.
    DamagedRecordError
        A record can't be read back whole; the message names the file.
    """
    plan = read_plan(out)
    if plan is None:
        raise FolderError(f"{out} holds no run: it has no plan.json; name a folder that `run` made")
    return [read_record(stem(out, case)) for case in plan.cases if has_record(stem(out, case))]


def read_plan(out: Path) -> Plan | None:
    """Plan of a folder, or `None` where there is none.

    Raises
    ------
    DamagedRecordError
        The plan can't be read.
    """
    path = out / "plan.json"
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cases = tuple(case_from_dict(case) for case in data["cases"])
        return Plan(data["profile"], cases, data["environment"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedRecordError(f"{path} is damaged: {error}") from error


def prepare(out: Path, plan: Plan, datasets: Sequence[Dataset], *, fresh: bool) -> None:
    """Make a folder ready for a plan; cases that it holds already stay.

    Raises
    ------
    FolderError
        The folder holds runs of other library versions, or other data under the same name.
    OSError
        It can't be written.
    """
    if fresh:
        _clear(out)
    _remove_leftovers(out)
    before = read_plan(out)
    if before is not None:
        _same_environment(out, before, plan)
        _same_mixture(out, before, plan)
        known = set(before.cases)
        cases = before.cases + tuple(case for case in plan.cases if case not in known)
        plan = Plan(plan.profile, cases, plan.environment)
    for dataset in datasets:
        _keep(out, dataset)
    header = {
        "schema": SCHEMA,
        "profile": plan.profile,
        "environment": plan.environment,
        "cases": [case_to_dict(case) for case in plan.cases],
    }
    write_bytes(out / "plan.json", (json.dumps(header, indent=1) + "\n").encode())


def read_data(out: Path, name: str) -> np.ndarray:
    """Observations of a data set that a folder's runs used.

    Raises
    ------
    DamagedRecordError
        They can't be read.
    """
    path = out / "data" / f"{name}.npy"
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise DamagedRecordError(f"{path} is damaged: {error}") from error


def unfinished(results: Path, plan: Plan) -> Path | None:
    """Newest folder in `results` with the same plan, some of whose cases have no record."""
    if not results.is_dir():
        return None
    for out in sorted(results.glob(f"*-{plan.profile}"), reverse=True):
        try:
            same = read_plan(out) == plan
        except DamagedRecordError:
            continue
        if same:
            return out if pending(out, plan.cases) else None
    return None


def _same_environment(out: Path, before: Plan, plan: Plan) -> None:
    for name in sorted(before.environment.keys() | plan.environment.keys()):
        had, has = before.environment.get(name, "none"), plan.environment.get(name, "none")
        if had != has:
            raise FolderError(
                f"{out} holds runs with {name} {had}, here is {has}: "
                "give another --out, or --fresh to start over"
            )


def _same_mixture(out: Path, before: Plan, plan: Plan) -> None:
    # One exact posterior judges all runs on a data set.
    def mixtures(cases: Sequence[Case]) -> dict[str, tuple[float, Prior]]:
        return {case.dataset: (case.model.sigma, case.model.prior) for case in cases}

    known = mixtures(before.cases)
    for name, wanted in mixtures(plan.cases).items():
        if known.get(name, wanted) != wanted:
            raise FolderError(
                f"{out} holds runs on {name!r} with another sigma or prior: "
                "give another --out, or --fresh to start over"
            )


def _keep(out: Path, dataset: Dataset) -> None:
    path = out / "data" / f"{dataset.name}.npy"
    if path.exists():
        if not np.array_equal(read_data(out, dataset.name), dataset.x):
            raise FolderError(
                f"{out} holds runs on other data named {dataset.name!r}: "
                "give another --out, or --fresh to start over"
            )
        return
    write_array(path, dataset.x)


def _clear(out: Path) -> None:
    for name in ("runs", "data", "figures"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("plan.json", "scores.json", "report.html"):
        (out / name).unlink(missing_ok=True)


def _remove_leftovers(out: Path) -> None:
    # Of a process that was killed: its temporary files, and jobs that no one waits for.
    for path in out.glob("**/.writing-*"):
        path.unlink(missing_ok=True)
    for path in out.glob("jobs-*"):
        shutil.rmtree(path, ignore_errors=True)

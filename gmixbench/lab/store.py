"""The folder of a run: what was planned, the data, and a record for each case.

`plan.json` names the cases and the environment; `data/NAME.npy` holds the observations, so that
all can be scored again without the file they came from; `runs/` holds the records. The plan is
written first and removed last: where it stands, the folder is ours, and nowhere else do we delete.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmixbench.disk import (
    SCHEMA,
    TEMPORARY,
    DamagedRecordError,
    case_from_dict,
    case_key,
    case_to_dict,
    damaged,
    has_record,
    read_record,
    write_array,
    write_bytes,
)
from gmixbench.record import Failure, Record
from gmixbench.spec import Case, Dataset, Prior

FOLDERS = ("runs", "data", "figures", "references")
FILES = ("scores.json", "report.html", "ranking.html", "scale.json", "scale.html")
"""What a run leaves besides its plan."""

SCALE = "scale"
"""Profile of a plan whose cases are costs of gradients, and no runs."""

SCRATCH = ".job-"
"""How the name of a folder in `runs/` begins where a worker is at work."""


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


def records(out: Path, plan: Plan) -> list[Record]:
    """Records of all planned cases that have one, in the plan's order.

    One that can't be read back whole is a failure that names its file: the others are judged.
    """
    return [_record(out, case) for case in plan.cases if has_record(stem(out, case))]


def _record(out: Path, case: Case) -> Record:
    try:
        return read_record(stem(out, case))
    except DamagedRecordError as error:
        # What damage says may have lines of its own.
        what_to_do = "put it back from a copy: a run whose .json is removed is measured again"
        message = " ".join(f"{error}; {what_to_do}".split())
        return Failure(case, "damaged", message)


def plan_of(out: Path) -> Plan:
    """Plan of a folder that a run made.

    Raises
    ------
    FolderError
        No run made it.
    DamagedRecordError
        The plan can't be read.
    """
    plan = read_plan(out)
    if plan is None:
        raise FolderError(f"{out} holds no run: it has no plan.json; name a folder that `run` made")
    if plan.profile == SCALE:
        raise FolderError(f"{out} holds no run, but costs: gmixbench scale report {out}")
    return plan


def scale_plan_of(out: Path) -> Plan:
    """Plan of a folder that `scale` made.

    Raises
    ------
    FolderError
        It made none there.
    DamagedRecordError
        The plan can't be read.
    """
    plan = read_plan(out)
    if plan is None or plan.profile != SCALE:
        raise FolderError(f"{out} holds no costs: name a folder that `scale` made")
    return plan


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
        raise damaged(path, error) from error


def prepare(out: Path, plan: Plan, datasets: Sequence[Dataset], *, fresh: bool) -> None:
    """Make a claimed folder ready for a plan; cases that it holds stay, unless `fresh` is true.

    Raises
    ------
    FolderError
        The folder holds runs of other library versions, or other data under the same name.
    DamagedRecordError
        Its plan or its data can't be read.
    OSError
        It can't be written.
    """
    before = read_plan(out)
    if before is not None and fresh:
        _clear(out)
        before = None
    _remove_leftovers(out)
    if before is not None:
        if (before.profile == SCALE) != (plan.profile == SCALE):
            raise FolderError(f"{out} holds what another command measured: give another --out")
        _same_environment(out, before, plan)
        _same_mixture(out, before, plan)
        known = set(before.cases)
        cases = before.cases + tuple(case for case in plan.cases if case not in known)
        plan = Plan(plan.profile, cases, plan.environment)
        for dataset in datasets:
            _same_data(out, dataset)
    header = {
        "schema": SCHEMA,
        "profile": plan.profile,
        "environment": plan.environment,
        "cases": [case_to_dict(case) for case in plan.cases],
    }
    write_bytes(out / "plan.json", (json.dumps(header, indent=1) + "\n").encode())
    for dataset in datasets:
        if not _data(out, dataset.name).exists():
            write_array(_data(out, dataset.name), dataset.x)


def read_data(out: Path, name: str) -> np.ndarray:
    """Observations of a data set that a folder's runs used.

    Raises
    ------
    DamagedRecordError
        They can't be read.
    """
    path = _data(out, name)
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, error) from error


def data_sha256(x: np.ndarray) -> str:
    """Digest of observations, whatever they are called."""
    return hashlib.sha256(np.ascontiguousarray(x, dtype="<f8").tobytes()).hexdigest()


def digests(out: Path) -> dict[str, str]:
    """Digest of each data set in a folder, by name.

    Raises
    ------
    DamagedRecordError
        They can't be read.
    """
    names = sorted(path.stem for path in (out / "data").glob("*.npy"))
    return {name: data_sha256(read_data(out, name)) for name in names}


def unfinished(results: Path, plan: Plan, datasets: Sequence[Dataset]) -> Path | None:
    """Newest folder in `results` with the same plan and data, if some of its cases are to do."""
    for out in sorted(results.glob(f"*-{plan.profile}"), reverse=True):
        try:
            if read_plan(out) != plan:
                continue
            for dataset in datasets:
                _same_data(out, dataset)
        except (DamagedRecordError, FolderError):
            continue
        return out if pending(out, plan.cases) else None
    return None


def _data(out: Path, name: str) -> Path:
    return out / "data" / f"{name}.npy"


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
        return {case.posterior: (case.model.sigma, case.model.prior) for case in cases}

    known = mixtures(before.cases)
    for name, wanted in mixtures(plan.cases).items():
        if known.get(name, wanted) != wanted:
            raise FolderError(
                f"{out} holds runs on {name!r} with another sigma or prior: "
                "give another --out, or --fresh to start over"
            )


def _same_data(out: Path, dataset: Dataset) -> None:
    known = _data(out, dataset.name).exists()
    if known and not np.array_equal(read_data(out, dataset.name), dataset.x):
        raise FolderError(
            f"{out} holds runs on other data named {dataset.name!r}: "
            "give another --out, or --fresh to start over"
        )


def _clear(out: Path) -> None:
    for name in FOLDERS:
        if (out / name).exists():
            shutil.rmtree(out / name)
    for name in (*FILES, "plan.json"):
        (out / name).unlink(missing_ok=True)


def _remove_leftovers(out: Path) -> None:
    # Of a process that was killed: its temporary files, and jobs that no one waits for.
    for folder in (out, *(out / name for name in FOLDERS)):
        for path in folder.glob(f"{TEMPORARY}*"):
            path.unlink(missing_ok=True)
    for path in (out / "runs").glob(f"{SCRATCH}*"):
        shutil.rmtree(path, ignore_errors=True)  # a leftover is in no one's way

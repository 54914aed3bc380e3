"""`compare.json`: all that was measured of a comparison, whole after every process.

At the end of a call it has what is said of that too, for programs; it follows from the readings,
and is never read back.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from gmixbench.disk import SCHEMA, case_from_dict, case_to_dict, damaged, write_bytes
from gmixbench.lab.store import FolderError
from gmixbench.ruler.comparison.nouns import Comparison, Outcome, Reading, Task, Variant
from gmixbench.ruler.score import Check
from gmixbench.spec import Case, fit_settings

NAME = "compare.json"

_PLACE = ("platform", "cpu", "cores", "machine_id")
"""What is the machine's of a comparison's `machine`; the rest is of gmixbench and its packages."""

_PARTS: dict[str, Callable[[Comparison], Any]] = {
    "other variants": lambda each: [variant.digest for variant in each.variants],
    "other tasks": lambda each: [(task.model, task.method) for task in each.tasks],
    "another data set": lambda each: each.dataset,
    "another machine": lambda each: {name: each.machine.get(name) for name in _PLACE},
    "another gmixbench": lambda each: each.machine,
    "another seed": lambda each: each.seed,
}
"""What makes it another comparison."""


def read(folder: Path) -> Comparison | None:
    """Comparison that a folder holds, or `None` where there is none.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        It can't be read.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("schema") != SCHEMA:
            raise ValueError(f"another schema where {SCHEMA} was expected")
        data.pop("outcome", None)
        lists = {
            "variants": tuple(Variant(**each) for each in data["variants"]),
            "tasks": tuple(map(_task, data["tasks"])),
            "readings": tuple(map(_reading, data["readings"])),
            "metrics": tuple(data.get("metrics", ())),  # none could be named before
        }
        return Comparison(**(data | lists))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error


def write(folder: Path, comparison: Comparison, outcome: Outcome | None = None) -> None:
    """Write a comparison, whole or not at all; numbers that are not finite are null.

    Parameters
    ----------
    outcome : what is said of it, where it has ended

    Raises
    ------
    OSError
        It can't be written.
    """
    plain = asdict(replace(comparison, tasks=(), readings=()))
    plain["tasks"] = [_task_row(each, comparison.dataset) for each in comparison.tasks]
    del plain["readings"]
    if outcome is not None:
        plain["outcome"] = _outcome_row(outcome)
    head = json.dumps({"schema": SCHEMA, **plain}, indent=1).removesuffix("\n}")
    # A line for each process: a person can look, and a version control system can compare.
    rows = ",\n  ".join(
        json.dumps(_reading_row(each), allow_nan=False) for each in comparison.readings
    )
    text = f'{head},\n "readings": [\n  {rows}\n ]\n}}\n'
    write_bytes(folder / NAME, text.encode())


def resumed(folder: Path, asked: Comparison) -> Comparison:
    """What is asked, with what its folder holds of it already; counts of draws are those there.

    Processes of either end that failed are not among it: they are measured again, since a crash, a
    time-out or a lack of memory may pass. A wrong answer stays, and what was dropped: it would be
    measured long after the blocks that it is missing from.

    Raises
    ------
    gmixbench.lab.store.FolderError
        The folder holds another comparison.
    gmixbench.disk.DamagedRecordError
        What it holds can't be read.
    """
    before = read(folder)
    if before is None:
        return asked
    for what, part in _PARTS.items():
        if part(before) != part(asked):
            raise FolderError(
                f"{folder} holds a comparison of {what}: give another --out, or --fresh to "
                "start over"
            )
    left = tuple(
        each for each in before.readings if not each.failure or each.variant in before.dropped
    )
    return replace(asked, tasks=before.tasks, readings=left)


def _task_row(task: Task, dataset: str) -> dict[str, Any]:
    row = case_to_dict(Case(dataset, task.model, "", task.method, task.settings))
    return {name: row[name] for name in ("model", "method", "settings")}


def _task(row: dict[str, Any]) -> Task:
    case = case_from_dict({"dataset": "", "backend": "", **row})
    return Task(case.model, case.method, fit_settings(case))


def _reading_row(reading: Reading) -> dict[str, Any]:
    # Not by `asdict`, which copies in depth: all rows are written after each process.
    checks = [_finite(vars(each)) for each in reading.checks]
    return vars(reading) | {"case": case_to_dict(reading.case), "checks": checks}


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "verdict": outcome.verdict,
        "blocks": outcome.blocks,
        "looks": outcome.looks,
        "trusts": [_finite(asdict(each)) for each in outcome.trusts],
        "findings": [
            _finite(asdict(each) | {"ratio": each.ratio, "change": _finite(asdict(each.change))})
            for each in outcome.findings
        ],
    }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _check(row: dict[str, Any]) -> Check:
    numbers = {name: math.nan if value is None else value for name, value in row.items()}
    return Check(**(row | numbers))


def _reading(row: dict[str, Any]) -> Reading:
    lists = {
        "case": case_from_dict(row["case"]),
        "checks": tuple(map(_check, row["checks"])),
        "faults": tuple(row["faults"]),
    }
    return Reading(**(row | lists))


def clear(folder: Path) -> None:
    """Remove what a folder holds of a comparison."""
    (folder / NAME).unlink(missing_ok=True)


def label(comparison: Comparison) -> str:
    """Name of a folder for a comparison: the same for the same question, and for no other."""
    parts = {what: part(comparison) for what, part in _PARTS.items()}
    digest = sha256(repr(parts).encode()).hexdigest()[:8]
    ends = (comparison.variants[0].name, comparison.variants[-1].name)
    words = [re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.") for name in ends]
    return f"{words[0]}-{words[1]}-{digest}"

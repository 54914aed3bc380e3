"""Files that the gate reads, of three kinds, told apart by what is in them.

A folder of several runs, one a round, is one side: each file in it, and each folder with a
`scores.json`, is a run.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gmixbench.disk import DamagedRecordError
from gmixbench.lab import baseline, gate_asv, gate_own, gate_pytest
from gmixbench.ruler.sides import ABSENT, Replicate, Side
from gmixbench.ruler.tolerances import TOLERANCES

NOT_RESULTS = ("machine.json", "benchmarks.json", "plan.json", "history.json")
"""Names of files that stand beside results, in asv's folders and ours."""

SIGNED = ("average_loss", "density_constant", "gap", "kl", "loss", "pareto_k")
"""Metrics that may be negative."""

DAMAGE = (ArithmeticError, AttributeError, LookupError, SyntaxError, TypeError, ValueError)
"""What a file whose content has another shape ends in, in whatever reads it."""


class GateFileError(ValueError):
    """A file that the gate can't read; the message says which, why, and what it wants."""


def read_side(path: Path) -> Side:
    """Read one side of a comparison.

    Raises
    ------
    GateFileError
        It is of none of the kinds, damaged, or a folder of runs that don't belong together.
    OSError
        It can't be read.
    """
    if not path.is_dir():
        return _read(path, path.name)
    if (path / "scores.json").is_file():
        return _read(path / "scores.json", path.name)
    if (path / "plan.json").is_file():
        raise _unscored(path)
    for child in sorted(path.iterdir()):
        if (child / "plan.json").is_file() and not (child / "scores.json").is_file():
            raise _unscored(child)
    files = {
        child.name: child / "scores.json" if child.is_dir() else child
        for child in sorted(path.iterdir())
        if (child / "scores.json").is_file()
        or (child.suffix == ".json" and child.name not in NOT_RESULTS and child.name[0] != ".")
    }
    if not files:
        raise GateFileError(f"{path} holds no results: no scores.json, and none in a folder in it")
    return _joined(path, {name: _read(file, name) for name, file in files.items()})


def _unscored(path: Path) -> GateFileError:
    return GateFileError(f"{path} is not scored: `gmixbench score {path}` does it")


def _read(path: Path, run: str) -> Side:
    try:
        data = json.loads(path.read_bytes())
    except RecursionError as error:
        raise GateFileError(f"{path} is damaged: it is nested too deeply") from error
    except ValueError as error:
        raise GateFileError(f"{path} is no JSON, or cut short: {error}") from error
    try:
        side = _side(path, data, run)
        if side is not None:
            _check(side)
    except DAMAGE as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise GateFileError(f"{path} is damaged: {reason}") from error
    except DamagedRecordError as error:  # the plan beside it
        raise GateFileError(str(error)) from error
    if side is None:
        raise GateFileError(
            f"{path} is none of gmixbench's scores.json or baseline, pytest-benchmark's JSON, "
            "asv's result file of a commit"
        )
    return side


def _side(path: Path, data: Any, run: str) -> Side | None:
    if not isinstance(data, Mapping):
        return None
    if gate_own.is_scores(data):
        return gate_own.read_scores(path, data, run)
    if gate_own.is_release(data):
        return gate_own.read_release(path, data)
    if baseline.is_baseline(data):
        return baseline.read_baseline(path, data)
    if gate_pytest.is_saved(data):
        return gate_pytest.read_saved(path, data, run)
    if gate_asv.is_results(data):
        return gate_asv.read_results(path, data, run)
    return None


def _check(side: Side) -> None:
    # What is read is trusted ever after: a text or a truth value among numbers is found here.
    for key, replicates in side.cases.items():
        for one in replicates:
            if type(one.seed) is not int:
                raise ValueError(f"a seed of {key.model} {key.backend} is {one.seed!r}")
            if any(type(fault) is not str for fault in one.faults):
                raise ValueError(f"a reason of {key.model} {key.backend} is no text")
            for name, value in one.metrics.items():
                if not _sound(name, value):
                    raise ValueError(f"{name} of {key.model} {key.backend} is {value!r}")


def _sound(name: str, value: Any) -> bool:
    if value is None:
        return True
    if type(value) not in (int, float):
        return False
    if value < 0 and name in TOLERANCES and name not in SIGNED:
        return False
    return not value or 1e-150 < abs(float(value)) < 1e150  # no ratio of others exists


def _joined(path: Path, rounds: Mapping[str, Side]) -> Side:
    first, *others = rounds.values()
    for side in others:
        if side.kind != first.kind:
            raise GateFileError(
                f"{path} holds files of {first.kind} and of {side.kind}: name one of them"
            )
        for name in sorted(first.versions.keys() | side.versions.keys()):
            one, other = first.versions.get(name, "none"), side.versions.get(name, "none")
            if one != other:
                raise GateFileError(
                    f"{path} is no set of rounds: {name} is {one} in {first.name}, {other} in "
                    f"{side.name}"
                )
    keys = dict.fromkeys(key for side in rounds.values() for key in side.cases)
    cases = {
        key: tuple(
            one
            for run, side in rounds.items()
            for one in side.cases.get(key, (Replicate(run, 0, {}, (ABSENT,)),))
        )
        for key in keys
    }
    machines = dict.fromkeys(machine for side in rounds.values() for machine in side.machines)
    if not all(side.machines for side in rounds.values()):
        machines = {}  # a round may be from anywhere, so the whole is
    strangers = max(side.strangers for side in rounds.values())
    notes = dict.fromkeys(note for side in rounds.values() for note in side.notes)
    return Side(
        str(path), first.kind, tuple(machines), cases, first.versions, strangers, tuple(notes)
    )

"""Floors that `noise` found on this machine, kept in the user's cache."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from gmixbench.disk import DamagedRecordError, damaged, write_bytes
from gmixbench.lab.building import cache
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.comparison.nouns import Comparison


@dataclass(frozen=True)
class Kept:
    """A floor, the data set it was measured on, and the seconds that `noise` had for it."""

    dataset: str
    budget: float
    floor: Floor

    def within(self, budget: float) -> float:
        """What its change would be in another time, in which noise falls as blocks grow."""
        return self.floor.change * math.sqrt(self.budget / budget)


def keep(comparison: Comparison, floors: Sequence[Floor], budget: float) -> Path:
    """Keep floors of what was measured against itself, beside those of other tasks and data sets.

    Raises
    ------
    OSError
        They can't be written.
    """
    path = _path(comparison)
    try:
        before = _read(path)
    except DamagedRecordError:
        before = ()  # nothing in it can be had any more
    replaced = {(comparison.dataset, task.name) for task in comparison.tasks}
    others = [each for each in before if (each.dataset, each.floor.task) not in replaced]
    new = [Kept(comparison.dataset, budget, each) for each in floors]
    content = {"machine": comparison.machine, "floors": [asdict(each) for each in (*others, *new)]}
    write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())
    return path


def known(comparison: Comparison) -> tuple[Kept, ...]:
    """Floors of this machine for backends, tasks and data of a comparison; none without `noise`.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        They can't be read.
    """
    wanted = {(comparison.dataset, task.name) for task in comparison.tasks}
    found = _read(_path(comparison))
    return tuple(each for each in found if (each.dataset, each.floor.task) in wanted)


def _read(path: Path) -> tuple[Kept, ...]:
    if not path.is_file():
        return ()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return tuple(map(_kept, data["floors"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error


def _kept(row: dict[str, object]) -> Kept:
    match row:
        case {
            "dataset": str(dataset),
            "budget": int() | float() as budget,
            "floor": {
                "task": str(task),
                "metric": str(metric),
                "change": int() | float() as change,
                "blocks": int(blocks),
            },
        }:
            return Kept(dataset, budget, Floor(task, metric, change, blocks))
    raise ValueError("a floor is not whole")


def _path(comparison: Comparison) -> Path:
    # What a process of a library takes decides how many blocks a budget has.
    backends = sorted({each.backend for each in comparison.variants})
    digest = sha256(repr((sorted(comparison.machine.items()), backends)).encode()).hexdigest()
    return cache() / "noise" / f"{'-'.join(backends)}-{digest[:12]}.json"

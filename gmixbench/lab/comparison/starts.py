"""How the workers of a comparison's sides are started."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from gmixbench.lab import building, execute, travel, uv
from gmixbench.lab.comparison.blocks import Start
from gmixbench.lab.comparison.sides import Side
from gmixbench.lab.execute import Worker


def starts(sides: Sequence[Side], folder: Path, *, say: uv.Say) -> list[Start]:
    """Start of each side's workers; environments that are not there are built.

    Parameters
    ----------
    folder : keeps the measured side, packed for interpreters that don't have it
    say : told what is going on

    Raises
    ------
    gmixbench.lab.stacks.StackError
        One can't be built.
    OSError
        The folder can't be written.
    """
    packed = travel.pack(folder / "worker.pyz").resolve()
    return [_start(side, packed, say) for side in sides]


def _start(side: Side, packed: Path, say: uv.Say) -> Start:
    if side.stack is None:
        return _beside_us
    return partial(travel.worker, building.build(side.stack, say=say), packed)


def _beside_us(caches: Path) -> Worker:
    return replace(execute.HERE, caches=caches)

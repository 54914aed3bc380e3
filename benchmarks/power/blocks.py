"""What `measure.py` left: whole blocks of processes, and comparisons that are made of them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmixbench.lab.comparison.blocks import order
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.ruler.comparison.nouns import Comparison, Reading, Task, Variant
from gmixbench.ruler.tolerances import TOLERANCES
from gmixbench.spec import MODELS, Case, NutsSettings

METRICS = COMPARED["nuts"]

ALPHA = 0.01
"""Of all comparisons, as `gmixbench compare` has it unless told otherwise."""


@dataclass(frozen=True)
class Process:
    """A line of the file: one fresh process, with the load average as it began."""

    place: int
    began: str
    cpu: str
    seconds: float
    load: float
    metrics: dict[str, float | None]
    faults: tuple[str, ...]


Block = Mapping[str, Process]
"""Processes that have a seed in common, by variant."""


@dataclass(frozen=True)
class Pair:
    """The two variants that are compared, and how long they sampled."""

    old: str
    new: str
    settings: NutsSettings


def read(path: Path, variants: Sequence[str]) -> dict[int, Block]:
    """Blocks in which every variant was measured, by number.

    Raises
    ------
    ValueError
        A process is there twice: then comparisons made of the file would not be independent.
    """
    found: dict[int, dict[str, Process]] = {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            block = found.setdefault(int(line["block"]), {})
            if line["variant"] in block:
                raise ValueError(f"{path}: {line['variant']} is twice in block {line['block']}")
            block[line["variant"]] = _process(line)
    return {number: block for number, block in found.items() if {*variants} == {*block}}


def _process(line: Mapping[str, str]) -> Process:
    return Process(
        place=int(line["place"]),
        began=line["began"],
        cpu=line["cpu"],
        seconds=float(line["seconds"]),
        load=float(line["load"]),
        metrics={name: float(line[name]) if line[name] else None for name in METRICS},
        faults=(line["faults"],) if line["faults"] else (),
    )


def groups(blocks: Mapping[int, Block], size: int) -> list[tuple[Block, ...]]:
    """Consecutive blocks, so many together, each in one group; what does not make one is left."""
    found: dict[int, list[Block]] = {}
    for number, block in sorted(blocks.items()):
        found.setdefault(number // size, []).append(block)
    return [tuple(some) for some in found.values() if len(some) == size]


def in_order(group: Sequence[Block], pair: Pair, seed: int) -> tuple[Block, ...]:
    """Blocks of equal sides, named anew: old and new come in the order of `gmixbench compare`.

    `measure.py` leaves each block's order to chance; `compare` turns every second one round. Of two
    processes that are alike either may be called the old one, so it is the order that tells.

    Parameters
    ----------
    seed : of the comparison, which has an order of its own
    """
    asked, sides = comparison((), pair, 0.0, seed), (pair.old, pair.new)
    found = []
    for number, block in enumerate(group):
        names = [sides[step.variant] for step in order(asked, number)]
        measured = sorted(block.values(), key=lambda each: each.place)
        found.append(dict(zip(names, measured, strict=True)))
    return tuple(found)


def comparison(blocks: Sequence[Block], pair: Pair, band: float, seed: int = 1) -> Comparison:
    """The comparison that `gmixbench compare` would have made of these blocks."""
    case = Case("close", MODELS["ordered"], "numpyro", "nuts", pair.settings)
    readings = tuple(
        Reading(
            block=number,
            variant=side,
            task=0,
            place=block[name].place,
            case=case,
            cold=True,  # no cache is, but compiling was timed all the same
            began=block[name].began,
            seconds=block[name].seconds,
            metrics=block[name].metrics,
            faults=block[name].faults,
        )
        for number, block in enumerate(blocks)
        for side, name in enumerate((pair.old, pair.new))
    )
    variants = tuple(Variant(name, "here", "numpyro", {}, name) for name in (pair.old, pair.new))
    task = Task(case.model, case.method, pair.settings)
    return Comparison(variants, (task,), "close", band, ALPHA, seed, {}, readings)


def values(blocks: Sequence[Block], pair: Pair, metric: str) -> np.ndarray:
    """Old and new, shape (n, 2), turned so that less is better; of blocks where both tell it."""
    rows = [[block[side].metrics[metric] for side in (pair.old, pair.new)] for block in blocks]
    told = np.array([row for row in rows if all(row)], dtype=float).reshape(-1, 2)
    return told if TOLERANCES[metric].sign > 0 else 1 / told


def log_ratios(blocks: Sequence[Block], pair: Pair, metric: str) -> np.ndarray:
    """Logarithm of new / old in each block."""
    old, new = values(blocks, pair, metric).T
    return TOLERANCES[metric].sign * np.log(new / old)


def sound(blocks: Sequence[Block]) -> bool:
    """Whether nothing failed or was wrong; else `compare` says so, and nothing of speed."""
    return not any(each.faults for each in processes(blocks))


def processes(blocks: Sequence[Block]) -> Iterator[Process]:
    """All processes of some blocks."""
    return (each for block in blocks for each in block.values())

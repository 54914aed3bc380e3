"""How a comparison went: each block's own change, and what was said at each look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp

from gmixbench.ruler.comparison.judge import Differences, judge, paired, whole_blocks
from gmixbench.ruler.comparison.looks import looks
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome, Reading


@dataclass(frozen=True)
class Point:
    """Change within one block: new / old, or new - old.

    `block` is its place among the whole blocks, the first being 1; `old_first` tells which of the
    two was measured first in it.
    """

    block: int
    change: float
    old_first: bool


@dataclass(frozen=True)
class Course:
    """A finding, the blocks it rests on, and what was said at each look.

    `said` has the number of blocks at each look, and the finding there; one that had an answer
    keeps it. Where a side was not valid at a look, nothing was said.
    """

    finding: Finding
    points: tuple[Point, ...]
    said: tuple[tuple[int, Finding], ...]


def courses(outcome: Outcome) -> tuple[Course, ...]:
    """Course of each finding between the first variant and the last, in the order of these."""
    comparison = outcome.comparison
    readings = whole_blocks(comparison)
    stages = [
        (seen, judge(_first(comparison, readings, seen)).whole) for seen in looks(outcome.blocks)
    ]
    measured = {(each.pair, *_key(each)): each for each in paired(comparison, readings)}
    return tuple(
        Course(
            finding,
            _points(measured[finding.pair, *_key(finding)], readings),
            tuple(
                (seen, each)
                for seen, some in stages
                for each in some
                if _key(each) == _key(finding)
            ),
        )
        for finding in outcome.whole
    )


def _first(comparison: Comparison, readings: Sequence[Reading], count: int) -> Comparison:
    """The comparison as it was after so many whole blocks."""
    blocks = sorted({each.block for each in readings})[:count]
    return replace(comparison, readings=tuple(each for each in readings if each.block in blocks))


def _key(each: Finding | Differences) -> tuple[int, str]:
    metric = each.metric if isinstance(each, Finding) else each.tolerance.metric
    return each.task, metric


def _points(each: Differences, readings: Sequence[Reading]) -> tuple[Point, ...]:
    blocks = sorted({reading.block for reading in readings})
    places = {(reading.block, reading.variant, reading.task): reading.place for reading in readings}
    ratio = each.tolerance.scale == "ratio"
    found = []
    for place, difference in zip(each.blocks, each.differences, strict=True):
        old, new = (places[blocks[place], side, each.task] for side in each.pair)
        change = exp(difference) if ratio else float(difference)
        found.append(Point(int(place) + 1, change, old < new))
    return tuple(found)

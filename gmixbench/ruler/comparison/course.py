"""How a comparison went: each block's own change, and what was said at each look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gmixbench.ruler.comparison.judge import judge, usable
from gmixbench.ruler.comparison.looks import looks
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome, Reading
from gmixbench.ruler.tolerances import TOLERANCES


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
    """A finding, the blocks that tell its metric, and what was said at each look at it.

    `said` has the number of blocks at each look, and the finding there, as it would have been had
    the comparison ended with that block. Where a side was not valid, nothing was said.
    """

    finding: Finding
    points: tuple[Point, ...]
    said: tuple[tuple[int, Finding], ...]


def courses(outcome: Outcome) -> tuple[Course, ...]:
    """Course of each finding between the first variant and the last, in the order of these."""
    readings = outcome.comparison.whole_blocks
    points = {_key(each): _points(each, readings) for each in outcome.whole}
    ends = {key: _looks(some) for key, some in points.items()}
    stages = {
        end: {_key(each): each for each in judge(_first(outcome.comparison, readings, end)).whole}
        for end in sorted({end for some in ends.values() for end in some})
    }
    return tuple(
        Course(
            finding,
            points[_key(finding)],
            tuple(
                (end, stages[end][_key(finding)])
                for end in ends[_key(finding)]
                if _key(finding) in stages[end]
            ),
        )
        for finding in outcome.whole
    )


def _key(finding: Finding) -> tuple[int, str]:
    return finding.task, finding.metric


def _looks(points: Sequence[Point]) -> list[int]:
    """Blocks at which there was a look: not every block tells every metric."""
    return [points[count - 1].block for count in looks(len(points))]


def _first(comparison: Comparison, readings: Sequence[Reading], count: int) -> Comparison:
    """The comparison as it was after so many whole blocks."""
    blocks = _blocks(readings)[:count]
    return replace(comparison, readings=tuple(each for each in readings if each.block in blocks))


def _blocks(readings: Sequence[Reading]) -> list[int]:
    return sorted({each.block for each in readings})


def _points(finding: Finding, readings: Sequence[Reading]) -> tuple[Point, ...]:
    tolerance = TOLERANCES[finding.metric]
    table = {(each.block, each.variant): each for each in readings if each.task == finding.task}
    found = []
    for place, block in enumerate(_blocks(readings), 1):
        old, new = (table[block, side] for side in finding.pair)
        was, now = (each.metrics.get(finding.metric) for each in (old, new))
        if was is None or now is None or not (usable(tolerance, was) and usable(tolerance, now)):
            continue
        change = now / was if finding.ratio else now - was
        found.append(Point(place, change, old.place < new.place))
    return tuple(found)

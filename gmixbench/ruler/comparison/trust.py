"""Whether the variants of a comparison are right, all processes of each taken together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gmixbench.ruler.comparison.looks import looks, share
from gmixbench.ruler.comparison.nouns import PILOT, Comparison, Reading, Trust
from gmixbench.ruler.comparison.pooled import pooled
from gmixbench.ruler.score import Check
from gmixbench.ruler.verdict import EVIDENCE, FAMILYWISE, LEAST_ESS, limit


@dataclass(frozen=True)
class Point:
    """A fixed point at which bias is judged, by its number: 0 the pilot, then the looks.

    `ess` is the sum over processes of each one's least: no quantity has less.
    """

    number: int
    checks: tuple[Check, ...]
    ess: float

    @property
    def worst(self) -> Check:
        """The check that is farthest off."""
        return max(self.checks, key=lambda check: check.z)

    @property
    def allowed(self) -> float:
        """Largest z that passes.

        A failure is final, so each point has its own share of the level, and all together, however
        many there will be, call a right variant wrong no more often than `FAMILYWISE`.
        """
        return limit(len(self.checks), self.ess, FAMILYWISE * share(self.number))

    @property
    def biased(self) -> bool:
        """Whether the worst check does not pass."""
        return not self.worst.z <= self.allowed


def trusts(comparison: Comparison) -> tuple[Trust, ...]:
    """Of every variant in every task."""
    return tuple(
        _trust(comparison, variant, task)
        for variant in range(len(comparison.variants))
        for task in range(len(comparison.tasks))
    )


def checks_of(comparison: Comparison, variant: int, task: int) -> tuple[Check, ...]:
    """Checks by which a variant was judged in a task; none of ADVI."""
    point = _deciding(comparison, variant, task)
    return point.checks if point else ()


def _trust(comparison: Comparison, variant: int, task: int) -> Trust:
    rows = _own(comparison.readings, variant, task)
    if not rows:
        return Trust(variant, task, ("not measured",))
    # What no chance explains is told at once, of begun blocks too.
    faulty = [(*each.faults, each.failure) for each in rows if each.faults or each.failure]
    reasons = [f"{len(faulty)} of {len(rows)} processes: {told[0]}" for told in faulty[:1]]
    wrong = any(each.faults for each in rows)
    point = _deciding(comparison, variant, task)
    if point is None:
        return Trust(variant, task, tuple(reasons), wrong=wrong)
    worst, allowed = point.worst, point.allowed
    if point.biased:
        reasons.append(
            f"{worst.name} is {worst.z:.1f} standard errors from the exact one, {allowed:.1f} pass"
        )
    if point.number and not point.ess >= LEAST_ESS:
        reasons.append(f"{EVIDENCE}ESS {point.ess:.0f} of all draws, {LEAST_ESS:.0f} are needed")
    return Trust(
        variant, task, tuple(reasons), worst.z, allowed, worst.name, wrong=wrong or point.biased
    )


def _deciding(comparison: Comparison, variant: int, task: int) -> Point | None:
    """First point at which it is biased, or else the last one."""
    point = None
    for point in _points(comparison, variant, task):
        if point.biased:
            return point
    return point


def _points(comparison: Comparison, variant: int, task: int) -> Iterator[Point]:
    pilot = [each for each in comparison.readings if each.block == PILOT]
    whole = _own(comparison.whole_blocks, variant, task)
    seen = [_own(pilot, variant, task), *(whole[:count] for count in looks(len(whole)))]
    for number, rows in enumerate(seen):
        checked = [each for each in rows if each.checks]
        if checked:
            yield Point(number, pooled(checked), math.fsum(each.ess or 0.0 for each in checked))


def _own(readings: Sequence[Reading], variant: int, task: int) -> list[Reading]:
    return [each for each in readings if (each.variant, each.task) == (variant, task)]

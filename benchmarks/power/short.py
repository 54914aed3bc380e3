"""Equal sides in short blocks: hundreds of real comparisons, no process in two of them.

The same comparisons show what is found in so much noise, where a change is put into them by
arithmetic: the new side's clock is multiplied, and nothing is drawn or resampled.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from blocks import METRICS, Block, Pair, comparison, in_order, sound, values
from measure import SHORT
from rules import Answers, others

from gmixbench.ruler.compare import Verdict
from gmixbench.ruler.comparison.floor import floors
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.nouns import Outcome
from gmixbench.ruler.comparison.signed_rank import p_above

PAIR = Pair("old", "new", SHORT)

BAND = 0.02

RUN = 4
"""Neighbouring comparisons that are judged as one too, so that there are looks after the first."""

NO_BAND = 1e-9
"""As good as none: what is called changed then, chance alone has done."""

CLOCK = "seconds_per_gradient"

FASTER = {CLOCK: -1, "draws_per_second": 1, "ess_per_second": 1}
"""Power of the clock's speed in what a slower gradient changes."""

CHANGED = ("regressed", "improved")

EFFECTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Slowdowns, as a share."""

Group = Sequence[Block]


@dataclass(frozen=True)
class Answered:
    """A comparison as it is judged, and its machine's own floor: a share, `inf` if none is told."""

    outcome: Outcome
    floor: float

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By metric."""
        return {each.metric: each.verdict for each in self.outcome.whole}

    @property
    def changed(self) -> bool:
        """Whether any metric is said to have."""
        return bool({*CHANGED} & {*self.verdicts.values()})


def answered(group: Group, band: float, effect: float = 0.0) -> Answered:
    """Judge a comparison whose new side is slower by a share."""
    outcome = judge(comparison([_slower(block, effect) for block in group], PAIR, band))
    floor = [each.change for each in floors(outcome) if each.metric == CLOCK]
    return Answered(outcome, floor[0] if floor else math.inf)


def _slower(block: Block, effect: float) -> Block:
    new = block[PAIR.new]
    metrics = {
        name: value and value * (1 + effect) ** -FASTER.get(name, 0)
        for name, value in new.metrics.items()
    }
    return {**block, PAIR.new: replace(new, metrics=metrics)}


def p_values(groups: Sequence[Group], metric: str) -> np.ndarray:
    """Two-sided signed-rank p-value of no change, of each comparison: no looks, no Holm, no band.

    Where the two sides agree in all blocks there is nothing to test.
    """
    tables = [values(group, PAIR, metric) for group in groups]
    logs = [np.log(new / old) for old, new in (table.T for table in tables if len(table))]
    return np.array([min(1.0, 2 * min(p_above(d, 0), p_above(-d, 0))) for d in logs if d.any()])


def by_others(group: Group, metrics: Sequence[str], effect: float = 0.0) -> Answers:
    """What other rules say of the same comparison."""
    slower = [_slower(block, effect) for block in group]
    return others({metric: values(slower, PAIR, metric) for metric in metrics})


def apart(before: Sequence[Group], after: Sequence[Group]) -> Iterator[Answers]:
    """What other rules say of the clock, the old side of one comparison, the new of another.

    So do tools measure that take one version after the other.
    """
    for first, second in zip(before, after, strict=False):
        old, new = values(first, PAIR, CLOCK), values(second, PAIR, CLOCK)
        count = min(len(old), len(new))
        yield others({CLOCK: np.column_stack([old[:count, 0], new[:count, 1]])})


@dataclass(frozen=True)
class Short:
    """All that short blocks tell.

    Of `measured` comparisons `groups` are those without a fault; all else but `runs` is of these.
    `equal` is judged with the usual band and `bare` with none, as are `runs`, of which each has the
    blocks of `RUN` neighbours; `by_rule` is of every metric by other rules. In `near` and `far`
    they take the two sides from comparisons that are neighbours, or half of the campaign apart; no
    process is in two. `slowed` has each comparison with each effect put into it, and what other
    rules say of its clock.
    """

    measured: int
    groups: list[Group]
    equal: list[Answered]
    bare: list[Answered]
    runs: list[Answered]
    by_rule: list[Answers]
    near: list[Answers]
    far: list[Answers]
    slowed: dict[float, list[tuple[Answered, Answers]]]


def of_equal(measured: Sequence[Group], neighbours: Sequence[Group]) -> Short:
    """Judge them all, in every way.

    Parameters
    ----------
    measured : the comparisons
    neighbours : the same blocks, those of `RUN` comparisons together
    """
    groups = _in_order(measured)
    half = len(groups) // 2
    return Short(
        len(measured),
        groups,
        [answered(group, BAND) for group in groups],
        [answered(group, NO_BAND) for group in groups],
        [answered(run, NO_BAND) for run in _in_order(neighbours)],
        [by_others(group, METRICS) for group in groups],
        [*apart(groups[::2], groups[1::2])],
        [*apart(groups[:half], groups[half:])],
        {
            effect: [
                (answered(group, BAND, effect), by_others(group, [CLOCK], effect))
                for group in groups
            ]
            for effect in EFFECTS
        },
    )


def _in_order(measured: Sequence[Group]) -> list[Group]:
    """Those without a fault, each in an order of its own."""
    sounds = (group for group in measured if sound(group))
    return [in_order(group, PAIR, seed) for seed, group in enumerate(sounds)]


def too_noisy(short: Short, effect: float, *, above: bool = True) -> list[Verdict]:
    """What is said of the clock where an effect is put in, and the floor is above it; or is not.

    The floor is the one that the comparison before it found: of its own blocks, the noise that
    makes the floor high would make the answer too. The first has the one after it, as a neighbour.
    """
    floors = [each.floor for each in short.equal]
    before = [*floors[1:2], *floors[:-1]]
    return [
        each.verdicts[CLOCK]
        for (each, _), floor in zip(short.slowed[effect], before, strict=False)
        if (floor > effect) == above
    ]

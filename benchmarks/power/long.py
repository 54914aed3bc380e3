"""Planted faults in long blocks: as they were measured, and comparisons resampled from them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from blocks import Block, Pair, comparison, sound, values
from measure import LONG
from rules import Answers, others
from short import BAND, CLOCK

from gmixbench.ruler.compare import Verdict
from gmixbench.ruler.comparison.floor import floors
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST, looks
from gmixbench.ruler.comparison.nouns import Outcome

BUDGET = 600.0
"""Seconds, as `gmixbench compare` has it unless told otherwise."""

STRETCH = 8
"""Neighbouring blocks that are drawn together, so that a resampled comparison has the stretches of
noise that the machine had: some three minutes of the campaign."""

ESS = "ess_per_gradient"

ASKED = CLOCK, ESS


@dataclass(frozen=True)
class Fault:
    """Two variants, the band, and what must be said of each metric that must have an answer."""

    new: str
    band: float
    right: dict[str, Verdict]

    @property
    def pair(self) -> Pair:
        """Both sides."""
        return Pair("plain", self.new, LONG)

    @property
    def name(self) -> str:
        """With its band."""
        return f"{self.new}, band {100 * self.band:.0f} %"


FAULTS = (
    Fault("again", BAND, {CLOCK: "equivalent", ESS: "equivalent"}),
    Fault("slower-5", BAND, {CLOCK: "regressed", ESS: "equivalent"}),
    Fault("slower-10", BAND, {CLOCK: "regressed", ESS: "equivalent"}),
    Fault("slower-10", 0.05, {CLOCK: "regressed", ESS: "equivalent"}),
    Fault("sticky-20", BAND, {CLOCK: "equivalent", ESS: "regressed"}),
)


@dataclass(frozen=True)
class Trial:
    """One comparison: where it ended, and what other rules say of its blocks.

    `early` is of the blocks at which it ended, `late` of all that the budget has room for.
    """

    outcome: Outcome
    seconds: float
    early: Answers
    late: Answers

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By metric."""
        return {each.metric: each.verdict for each in self.outcome.whole}


def room(blocks: Sequence[Block], pair: Pair) -> int:
    """Blocks of two processes that the budget has room for, up to the last look within it."""
    each = [sum(block[side].seconds for side in (pair.old, pair.new)) for block in blocks]
    return looks(max(FIRST, math.floor(BUDGET / np.mean(each))))[-1]


def ended(blocks: Sequence[Block], fault: Fault) -> Outcome:
    """Go through the looks until there is an answer, as `compare` does."""
    for count in looks(len(blocks)):
        outcome = judge(comparison(blocks[:count], fault.pair, fault.band))
        if outcome.answered:
            break
    return outcome


def resampled(blocks: Sequence[Block], count: int, rng: np.random.Generator) -> list[Block]:
    """So many blocks in stretches of neighbours, the last block being the first one's neighbour.

    A moving-block bootstrap (Künsch 1989), circular so that each block is drawn as often as another
    (Politis and Romano 1992).
    """
    starts = rng.integers(len(blocks), size=math.ceil(count / STRETCH))
    places = (starts[:, None] + np.arange(STRETCH)).ravel() % len(blocks)
    return [blocks[place] for place in places[:count]]


def trials(blocks: Sequence[Block], fault: Fault, count: int) -> list[Trial]:
    """So many resampled comparisons."""
    rng = np.random.default_rng(0)
    limit = room(blocks, fault.pair)
    return [_trial(resampled(blocks, limit, rng), fault) for _ in range(count)]


def _trial(blocks: Sequence[Block], fault: Fault) -> Trial:
    outcome = ended(blocks, fault)
    tables = {metric: values(blocks, fault.pair, metric) for metric in ASKED}
    early = {metric: table[: outcome.blocks] for metric, table in tables.items()}
    seconds = math.fsum(each.seconds for each in outcome.comparison.readings)
    return Trial(outcome, seconds, others(early), others(tables))


def in_turn(blocks: Sequence[Block], fault: Fault) -> Iterator[Outcome]:
    """Real comparisons one after another, each until its answer or the end of its budget.

    The last one is left out where the blocks end before it does.
    """
    limit, start = room(blocks, fault.pair), 0
    while len(left := blocks[start : start + limit]) >= FIRST:
        outcome = ended(left, fault)
        if not outcome.answered and len(left) < limit:
            return
        yield outcome
        start += outcome.blocks


def floors_of(blocks: Sequence[Block], count: int) -> np.ndarray:
    """Floors of the clock of resampled equal sides with the whole budget; shares."""
    rng = np.random.default_rng(1)
    equal, *_ = FAULTS
    limit = room(blocks, equal.pair)
    drawn = (resampled(blocks, limit, rng) for _ in range(count))
    outcomes = [judge(comparison(some, equal.pair, equal.band)) for some in drawn]
    return np.array(
        [each.change for outcome in outcomes for each in floors(outcome) if each.metric == CLOCK]
    )


def halves(blocks: Sequence[Block], pair: Pair) -> tuple[list[Block], list[Block]]:
    """Blocks that began at less load than most, and the others."""
    load = np.array([max(block[side].load for side in (pair.old, pair.new)) for block in blocks])
    quiet = load <= np.median(load)
    return (
        [block for block, calm in zip(blocks, quiet, strict=True) if calm],
        [block for block, calm in zip(blocks, quiet, strict=True) if not calm],
    )


@dataclass(frozen=True)
class Long:
    """All that long blocks tell.

    Of `measured` blocks `blocks` are those without a fault; all else is drawn from these.
    `trials`, `turns` and `whole` are of each of `FAULTS`, in that order; `floors` of all blocks and
    of their quiet and busy halves.
    """

    measured: int
    blocks: list[Block]
    trials: list[list[Trial]]
    turns: list[list[Outcome]]
    whole: list[Outcome]
    floors: dict[str, np.ndarray]


def of_planted(measured: Sequence[Block], count: int) -> Long:
    """Judge all that was measured, and `count` resampled comparisons of each fault."""
    blocks = [block for block in measured if sound([block])]
    equal, *_ = FAULTS
    quiet, busy = halves(blocks, equal.pair)
    return Long(
        len(measured),
        blocks,
        [trials(blocks, fault, count) for fault in FAULTS],
        [[*in_turn(blocks, fault)] for fault in FAULTS],
        [judge(comparison(blocks, fault.pair, fault.band)) for fault in FAULTS],
        {
            name: floors_of(some, count)
            for name, some in {"all": blocks, "quiet": quiet, "busy": busy}.items()
        },
    )

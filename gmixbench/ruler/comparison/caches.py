"""Which block has empty compilation caches, and what blocks of either kind take."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from statistics import mean

from gmixbench.ruler.comparison.nouns import PILOT, Comparison, Reading
from gmixbench.ruler.metrics import COMPILING
from gmixbench.spec import NutsSettings, Settings, fit_settings

COLD_SHARE = 1 / 3
"""Of the time, goes at the most to blocks with empty caches: engines that keep what they compile
take longer to compile than to sample, PyMC before 6 ten times as long, and the other metrics need
blocks more than those of compiling."""


@dataclass(frozen=True)
class Costs:
    """Seconds of blocks with empty caches and of the others: of one, and of all so far.

    `always` tells that every block has empty caches: compiling is what must have an answer.
    """

    cold: float
    warm: float
    spent_cold: float
    spent: float
    always: bool

    @property
    def next_cold(self) -> bool:
        """Whether the next block has empty caches: the blocks before it have paid for it."""
        cold = self.spent_cold + self.cold
        return self.always or cold <= COLD_SHARE * (self.spent + self.cold)

    def ahead(self) -> Iterator[float]:
        """Seconds of the blocks to come, one by one."""
        now = self
        while True:
            one = now.cold if now.next_cold else now.warm
            spent_cold = now.spent_cold + (one if now.next_cold else 0.0)
            now = Costs(now.cold, now.warm, spent_cold, now.spent + one, now.always)
            yield one


def costs(comparison: Comparison) -> Costs:
    """What blocks took, and will take: each as the whole ones of its kind did.

    Of a kind of which there is none yet it is what the pilot makes expect, and with warm caches
    nothing is compiled; but where caches were empty all the same there are none.
    """
    # Of each kind the mean, not the median: what now and then takes far longer counts as well.
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _, rows in groupby(comparison.whole_blocks, key=lambda each: each.block):
        block = [*rows]
        seconds = math.fsum(each.seconds for each in block)
        taken[all(each.cold for each in block)].append(seconds)
    cold = mean(taken[True]) if taken[True] else _expected(comparison, cold=True)
    if taken[False]:
        warm = mean(taken[False])
    else:
        warm = cold if taken[True] else _expected(comparison, cold=False)
    spent_cold = math.fsum(taken[True])
    always = bool({*COMPILING} & {*comparison.metrics})
    return Costs(cold, warm, spent_cold, spent_cold + math.fsum(taken[False]), always)


def _expected(comparison: Comparison, *, cold: bool) -> float:
    """Seconds of a block of a kind of which there is none yet."""
    total = 0.0
    for each in comparison.readings:
        if each.block == PILOT and each.variant not in comparison.dropped:
            compiling = 0.0 if cold else each.metrics.get("compile_s") or 0.0
            total += max(0.0, each.seconds + _longer(comparison, each) - compiling)
    return total


def _longer(comparison: Comparison, reading: Reading) -> float:
    """Seconds that a process takes longer by the draws or steps that it has more by now."""
    pace = reading.metrics.get("draws_per_second") or reading.metrics.get("steps_per_second")
    more = _count(comparison.tasks[reading.task].settings) - _count(fit_settings(reading.case))
    return more / pace if pace else 0.0


def _count(settings: Settings) -> int:
    if isinstance(settings, NutsSettings):
        return settings.chains * settings.draws
    return settings.steps

"""How much longer a comparison would take, if the noise stays as it is."""

import math
from dataclasses import dataclass
from statistics import mean

from gmixbench.ruler.comparison.nouns import PILOT, Comparison, Finding, Outcome, Reading, is_cold
from gmixbench.spec import NutsSettings, Settings, fit_settings


@dataclass(frozen=True)
class Outlook:
    """Findings that must have an answer and have none, and what it would take.

    `blocks` and `seconds` are what is still needed for all of them; `None` where no answer is in
    sight for one. What was measured twice, and found once, is not among them: more blocks are not
    what it lacks.
    """

    open: tuple[Finding, ...]
    blocks: int | None
    seconds: float | None


def outlook(outcome: Outcome) -> Outlook:
    """What is still open, and how long it would take."""
    waiting = tuple(
        each
        for each in outcome.findings
        if each.asked and each.verdict == "inconclusive" and not each.unconfirmed
    )
    needed = [each.more for each in waiting if each.more is not None]
    if len(needed) < len(waiting):
        return Outlook(waiting, None, None)
    blocks = max(needed, default=0)
    return Outlook(waiting, blocks, forecast(outcome.comparison, blocks))


def forecast(comparison: Comparison, count: int) -> float:
    """Seconds that the next so many blocks take, those with empty caches told from the others.

    Each as the whole ones of its kind did; before there are any, as the pilot makes expect, and
    with warm caches nothing is compiled.
    """
    sums: dict[int, float] = {}
    for each in comparison.whole_blocks:
        sums[each.block] = sums.get(each.block, 0.0) + each.seconds
    # Of each kind the mean, not the median: what now and then takes far longer counts as well.
    taken = {
        kind: [seconds for block, seconds in sums.items() if is_cold(block) == kind]
        for kind in (True, False)
    }
    one = {
        kind: mean(some) if some else _expected(comparison, cold=kind)
        for kind, some in taken.items()
    }
    return math.fsum(one[is_cold(block)] for block in range(len(sums), len(sums) + count))


def _expected(comparison: Comparison, *, cold: bool) -> float:
    """Seconds of a block of a kind of which there is none yet."""
    first = [each for each in comparison.whole_blocks if each.block == 0]
    pilots = [each for each in comparison.readings if each.block == PILOT]
    total = 0.0
    for each in first or [each for each in pilots if each.variant not in comparison.dropped]:
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

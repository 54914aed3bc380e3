"""How much longer a comparison would take, if the noise stays as it is."""

import math
from dataclasses import dataclass
from itertools import islice

from gmixbench.ruler.comparison.caches import costs
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome


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
    """Seconds that the next so many blocks take, those with empty caches told from the others."""
    return math.fsum(islice(costs(comparison).ahead(), count))

"""How much longer a comparison would take, if the noise stays as it is."""

import math
from dataclasses import dataclass
from itertools import islice

from gmixbench.ruler.comparison.caches import costs
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome


@dataclass(frozen=True)
class Outlook:
    """Findings that must have an answer and have none, and what it would take.

    `open` are those whose answer is in sight, and `blocks` and `seconds` what is still needed for
    all of these; of the `hopeless` ones none is. What was measured twice, and found once, is not
    among them: more blocks are not what it lacks.
    """

    open: tuple[Finding, ...]
    hopeless: tuple[Finding, ...]
    blocks: int
    seconds: float


def outlook(outcome: Outcome) -> Outlook:
    """What is still open, and how long it would take."""
    waiting = [
        each
        for each in outcome.findings
        if each.asked and each.verdict == "inconclusive" and not each.unconfirmed
    ]
    seen = tuple(each for each in waiting if each.more is not None)
    hopeless = tuple(each for each in waiting if each.more is None)
    blocks = max((each.more or 0 for each in seen), default=0)
    return Outlook(seen, hopeless, blocks, forecast(outcome.comparison, blocks))


def forecast(comparison: Comparison, count: int) -> float:
    """Seconds that the next so many blocks take, those with empty caches told from the others."""
    return math.fsum(islice(costs(comparison).ahead(), count))

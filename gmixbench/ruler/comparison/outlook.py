"""How much longer a comparison would take, if the noise stays as it is."""

from dataclasses import dataclass
from statistics import mean

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
    return Outlook(waiting, blocks, blocks * block_seconds(outcome.comparison))


def block_seconds(comparison: Comparison) -> float:
    """Mean seconds of the processes of a whole block; 0 where there is none.

    Not the median: one block in a few compiles anew and takes far longer, and counts as well.
    """
    sums: dict[int, float] = {}
    for each in comparison.whole_blocks:
        sums[each.block] = sums.get(each.block, 0.0) + each.seconds
    return mean(sums.values()) if sums else 0.0

"""What a machine's noise hides in a budget: from something held against itself."""

import math
from dataclasses import dataclass

from gmixbench.ruler.comparison.nouns import Finding, Outcome
from gmixbench.ruler.tolerances import TOLERANCES


@dataclass(frozen=True)
class Floor:
    """Half of the interval of a metric of equal sides, by so many blocks.

    `change` is a share for a ratio, else in the metric's unit. A band below it can't be answered
    "equivalent".
    """

    task: str
    metric: str
    change: float
    blocks: int

    def beyond(self, band: float) -> float:
        """Change that is called regressed every other time: its interval just clears the band."""
        if TOLERANCES[self.metric].scale == "ratio":
            return (1 + band) * (1 + self.change) - 1
        return band + self.change


def floors(outcome: Outcome) -> tuple[Floor, ...]:
    """Floors of the metrics that must have an answer, of something held against itself.

    What repeats has none: under one seed the same thing draws the same, whatever the machine. Nor
    has what so few blocks tell that its interval is open.
    """
    return tuple(
        Floor(outcome.comparison.tasks[each.task].name, each.metric, _half(each), each.blocks)
        for each in outcome.whole
        if each.asked and each.blocks and not each.repeats and math.isfinite(_half(each))
    )


def _half(finding: Finding) -> float:
    low, high = finding.change.low, finding.change.high
    if not finding.ratio:
        return (high - low) / 2
    return math.expm1(math.log(high / low) / 2) if low > 0 else math.inf

"""Axes of changes: ratios on a log scale that is labelled in per cent, differences in their unit.

Ratios are drawn in their logarithm, so that a change and what undoes it lie equally far from none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axis import Axis

from gmixbench.report import style
from gmixbench.ruler.comparison.nouns import Finding

MARKS = {
    "regressed": ("v", style.VERMILLION),
    "improved": ("^", style.GREEN),
    "equivalent": ("s", style.BLUE),
    "inconclusive": ("D", style.FAINT),
}
"""Marker and colour of a verdict; the word stands beside it."""

BAND_FILL = "#dcebf7"
"""Pale, of the colour of what is equivalent."""

ROOM = 12.0
"""Bands to either side that a view has for what is farthest, unless much else is as far."""

PERCENTS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Steps between labels in per cent."""

TIMES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e5)
"""Labels in times."""


@dataclass(frozen=True)
class View:
    """The part of an axis that is shown; no change is in it."""

    low: float
    high: float

    def clipped(self, where: float) -> float:
        """The place, or just inside the edge it lies beyond."""
        inset = 0.02 * (self.high - self.low)
        return max(self.low + inset, min(self.high - inset, where))

    def holds(self, where: float) -> bool:
        """Whether it is shown where it stands."""
        return self.low <= where <= self.high


def place(finding: Finding, change: float) -> float:
    """Where a change stands on its axis; infinitely far where it is unbounded."""
    if not finding.ratio:
        return change
    return math.log(change) if change > 0 else -math.inf


def width(finding: Finding) -> float:
    """How far the band reaches there."""
    return math.log1p(finding.band) if finding.ratio else finding.band


def around(reaches: Sequence[float], band: float) -> View:
    """Alike to both sides, with room for all but few that would leave none to the others."""
    ordered = sorted(reaches)
    usual = 1.5 * ordered[int(0.7 * len(ordered))]
    half = 1.1 * max(1.6 * band, min(ordered[-1], max(ROOM * band, usual)))
    return View(-half, half)


def within(points: Sequence[float], bounds: Sequence[float], band: float) -> View:
    """From no change to where most points are; those far from the others lie beyond the edge."""
    ordered = sorted(points)
    tenth = len(ordered) // 10
    early, late = ordered[tenth], ordered[-1 - tenth]
    far = 1.5 * (late - early)
    lows = (-1.3 * band, max(ordered[0], early - far), *bounds)
    highs = (1.3 * band, min(ordered[-1], late + far), *bounds)
    margin = 0.09 * (max(highs) - min(lows))
    return View(min(lows) - margin, max(highs) + margin)


def label(axis: Axis, shown: View, most: int = 8) -> None:
    """Ticks of an axis of ratios, about so many."""
    ratios = _ratios(shown, most)
    far = any(not 0.5 <= ratio <= 2 for ratio in ratios)
    texts = [_times(ratio) if far else _percent(ratio) for ratio in ratios]
    axis.set_ticks([math.log(ratio) for ratio in ratios], texts)


def _ratios(shown: View, most: int) -> list[float]:
    if max(-shown.low, shown.high) > math.log(2.2):
        ratios = sorted({1 / times for times in TIMES} | {*TIMES})
        inside = [ratio for ratio in ratios if shown.holds(math.log(ratio))]
        if len(inside) <= most:
            return inside
        return [ratio for ratio in inside if math.log10(ratio).is_integer()]
    steps = (_stepped(shown, percent) for percent in PERCENTS)
    return next((ratios for ratios in steps if _apart(ratios, shown, most)), [1.0])


def _apart(ratios: Sequence[float], shown: View, most: int) -> bool:
    # On a log scale labels are the closer the higher they stand.
    least = (shown.high - shown.low) / most
    return all(math.log(high / low) >= least for low, high in pairwise(ratios))


def _stepped(shown: View, percent: float) -> list[float]:
    first = math.ceil(100 * (math.exp(shown.low) - 1) / percent)
    last = math.floor(100 * (math.exp(shown.high) - 1) / percent)
    ratios = (1 + k * percent / 100 for k in range(first, last + 1))
    return [ratio for ratio in ratios if ratio > 0]


def _percent(ratio: float) -> str:
    share = 100 * (ratio - 1)
    return "0" if abs(share) < 1e-9 else f"{share:+.3g} %".replace("-", "−")


def _times(ratio: float) -> str:
    return f"×{ratio:.3g}"


def shortened(text: str, most: int) -> str:
    """A name that leaves room for what stands beside it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"

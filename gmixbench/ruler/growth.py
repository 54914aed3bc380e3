"""How a cost grows with the data: a constant overhead, and a power of their number.

    cost(n) = overhead + factor n^power

The slope of a log-log plot alone would be too flat: at small n the overhead is nearly all. The
three numbers are those whose curve lies nearest to the medians, by squares of log ratios.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SIZES = 4
"""Sizes that three numbers need, and one that can disagree."""

CONFIDENCE = 0.95

RESAMPLES = 200

BAND = 0.1
"""A power this near to 1 is called linear."""

STEEPEST = 4.0
"""Power beyond which none is looked for."""


@dataclass(frozen=True)
class Growth:
    """Fitted growth.

    `overhead` and `factor` are in the unit of the cost. `low` and `high` hold the power with
    confidence `CONFIDENCE`, by the bootstrap over the repeated evaluations within one process: what
    differs between processes is not in it. They are infinite where nothing was repeated. `off` is
    the largest relative distance of a median from the curve, `leaves` the n at which overhead and
    growing part are alike, and 0 where there is no overhead.
    """

    overhead: float
    factor: float
    power: float
    low: float
    high: float
    off: float
    leaves: float

    @property
    def shape(self) -> str:
        """Whether cost beyond the overhead grows as the data: linear, steeper, flatter, undecided.

        "linear" where the whole interval lies within `BAND` of 1, not where it only holds 1.
        """
        if self.low > 1 + BAND:
            return "steeper"
        if self.high < 1 - BAND:
            return "flatter"
        inside = self.low >= 1 - BAND and self.high <= 1 + BAND
        return "linear" if inside else "undecided"


def growth(sizes: Sequence[int], costs: Sequence[np.ndarray]) -> Growth | None:
    """Growth of a cost; `None` for fewer than `LEAST_SIZES` sizes, or where it hardly grows.

    Parameters
    ----------
    sizes : numbers of observations, ascending
    costs : positive, repeated at each size; arrays of any length, shape (repeats,)
    """
    if len(sizes) < LEAST_SIZES:
        return None
    n = np.array(sizes, dtype=float)
    medians = np.array([np.median(each) for each in costs])
    if not medians[-1] > medians[0]:
        return None
    overhead, factor, power = _fit(n, medians)
    if power > STEEPEST - 0.01:  # the curve ran away: what grows is hidden by what does not
        return None
    off = np.abs((overhead + factor * n**power) / medians - 1).max()
    low, high = -math.inf, math.inf
    if all(len(each) > 1 for each in costs):
        rng = np.random.default_rng(0)
        powers = [
            _fit(n, np.array([np.median(rng.choice(each, len(each))) for each in costs]))[2]
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(powers, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    leaves = (overhead / factor) ** (1 / power) if overhead > 0 else 0.0
    return Growth(overhead, factor, power, float(low), float(high), float(off), leaves)


def _fit(n: np.ndarray, costs: np.ndarray) -> tuple[float, float, float]:
    from scipy.optimize import least_squares

    # In units of the last size and its cost, so that all three numbers are near 1 or below it.
    place, cost = np.log(n / n[-1]), costs / costs[-1]

    def distance(parameters: np.ndarray) -> np.ndarray:
        overhead, factor, power = parameters
        return np.asarray(np.log((overhead + factor * np.exp(power * place)) / cost))

    least = 1e-12
    start = np.clip([0.9 * cost[0], 1 - 0.9 * cost[0], 1.0], least, None)
    found = least_squares(
        distance,
        start,
        bounds=([0.0, least, 0.05], [np.inf, np.inf, STEEPEST]),
        x_scale=[max(cost[0], least), 1.0, 0.1],
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    )
    overhead, factor, power = found.x
    return (
        float(overhead * costs[-1]),
        float(factor * costs[-1] / n[-1] ** power),
        float(power),
    )


NOISE = 1.0
"""Seconds by which two processes differ for no reason that grows."""


def forecast(sizes: Sequence[int], seconds: Sequence[float], following: int) -> float:
    """Seconds that a process of `following` observations will take, from those of smaller data.

    What was added from one size to the next is taken to grow as the data do, or as it grew the last
    time where that is more, at most as their square. Of one size nothing is known but that the next
    takes no less.

    Parameters
    ----------
    sizes, seconds : of the processes that are done, ascending, one at least
    """
    if len(sizes) < 2:
        return seconds[-1]
    added = max(0.0, seconds[-1] - seconds[-2])
    ratio = (following - sizes[-1]) / (sizes[-1] - sizes[-2])
    if len(sizes) > 2:
        before = max(seconds[-2] - seconds[-3], NOISE)
        ratio = min(max(ratio, added / before), ratio**2)
    return seconds[-1] + added * ratio

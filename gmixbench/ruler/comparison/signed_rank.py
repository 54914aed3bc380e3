"""Where paired differences lie: an estimate and an interval by winsorized signed ranks.

In a block both variants run in random order under one seed. If nothing but the label differs, a
block's difference is as likely positive as negative, whatever its size: so the test of no change is
exact for any noise, the far tails of a shared machine included. At the edge of a band, as for any
change that is there, differences must lie symmetric about it.

Orders are turned round in every second block, A B | B A, so that what an order does cancels. It has
a price: where a disturbance outlasts the end of a block, it meets the same side twice, and both
differences have one sign, while the test takes signs for independent. `benchmarks/power` shows how
much of that there is: the rank correlation of the two blocks of a turn.

Each difference counts with its sign, and with the rank of its size, but none with more than half of
the ranks (Policello and Hettmansperger 1976). Wilcoxon's own ranks (1945) let a single wild block
outweigh many others at the small levels that are asked here; with plain signs small differences
would count as much as large ones. On blocks of this project's own machine (2026-11-25, 17 % noise
with far tails) 72 blocks found 10 % in 96 of 100 comparisons, with Wilcoxon's ranks in 88.

The estimate is where both signs weigh the same (Hodges and Lehmann 1963): less than 37 % of wild
blocks can't carry it off. The interval holds what the test does not reject (Hollander, Wolfe and
Chicken 2014, 3.3).
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from gmixbench.ruler.comparison.nouns import Interval


def interval(differences: np.ndarray, level: float) -> Interval:
    """Estimate and interval, from differences of shape (n,).

    Parameters
    ----------
    level : probability that each bound is on the wrong side, at the most; the bounds are infinite
        where so few differences can't hold it
    """
    low, high = _bound(differences, level), -_bound(-differences, level)
    return Interval(estimate(differences), low, high)


def estimate(differences: np.ndarray) -> float:
    """Shift at which the differences above it weigh as much as those below."""
    half = _scores(len(differences)).sum() / 2
    steps = _steps(differences)
    below = _first(steps, lambda shift: _weight(differences, shift) <= half)
    above = _first(-steps[::-1], lambda shift: _weight(-differences, shift) <= half)
    return (below - above) / 2


def p_above(differences: np.ndarray, shift: float) -> float:
    """One-sided p-value of "they lie at `shift` or below"; ties speak for that."""
    return float(upper_tail(len(differences))[_weight(differences, shift)])


@cache
def upper_tail(n: int) -> np.ndarray:
    """P(T >= t) of the weight T of n differences with random signs, for t = 0, 1, ..."""
    chance = np.ones(1)
    for score in _scores(n):
        grown = np.zeros(len(chance) + score)
        grown[: len(chance)] += chance / 2
        grown[score:] += chance / 2
        chance = grown
    return np.minimum(np.cumsum(chance[::-1])[::-1], 1.0)


@cache
def _scores(n: int) -> np.ndarray:
    """Twice the rank, so that half of an odd number is whole; no more than n."""
    return np.minimum(2 * np.arange(1, n + 1), n)


def _weight(differences: np.ndarray, shift: float) -> int:
    """Sum of the scores of what lies above a shift; of equal sizes it gets the lesser ones."""
    away = differences - shift
    above = away > 0
    order = np.lexsort((~above, np.abs(away)))
    return int(_scores(len(away))[above[order]].sum())


def _steps(differences: np.ndarray) -> np.ndarray:
    """Shifts at which a weight changes: the mean of every two, each with itself too, in order."""
    first, second = _pairs(len(differences))
    return np.unique((differences[first] + differences[second]) / 2)


@cache
def _pairs(n: int) -> tuple[np.ndarray, ...]:
    return np.triu_indices(n)


def _bound(differences: np.ndarray, level: float) -> float:
    """Least shift that is not rejected from below."""
    if 0.5 ** len(differences) > level:
        return -np.inf
    return _first(_steps(differences), lambda shift: p_above(differences, shift) > level)


def _first(steps: np.ndarray, holds: Callable[[float], bool]) -> float:
    """First of ordered steps above which something holds, as it does above all that follow."""
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        # Between two steps, not at one, where rounding would decide which of two is farther away.
        if holds(float(steps[middle] + steps[middle + 1]) / 2):
            high = middle
        else:
            low = middle + 1
    return float(steps[low])

"""Where paired differences lie: the Hodges-Lehmann estimate, and Wilcoxon's signed-rank interval.

In a block both variants run in random order under one seed. If nothing but the label differs, a
block's difference is as likely positive as negative, whatever its size: so the test is exact for
any noise, the far tails of a shared machine included. A single wild block moves the estimate by no
more than one rank, and less than 29 % of them can't carry it off (Hodges and Lehmann 1963; Huber
and Ronchetti 2009, 3.5).

Sources: Wilcoxon 1945; Hodges and Lehmann 1963; Hollander, Wolfe and Chicken 2014, 3.1 to 3.3.
"""

from functools import cache

import numpy as np

from gmixbench.ruler.comparison.nouns import Interval


def walsh_averages(differences: np.ndarray) -> np.ndarray:
    """Means of every two differences, each with itself too, in order; shape (n (n + 1) / 2,)."""
    first, second = np.triu_indices(len(differences))
    return np.sort((differences[first] + differences[second]) / 2)


def interval(differences: np.ndarray, level: float) -> Interval:
    """Hodges-Lehmann estimate and its interval, from differences of shape (n,).

    Parameters
    ----------
    level : probability that each bound is on the wrong side, at the most; the bounds are infinite
        where so few differences can't hold it
    """
    averages = walsh_averages(differences)
    estimate = float(np.median(averages))
    beyond = upper_tail(len(differences))
    # The smallest sum of ranks that chance exceeds so rarely: as many averages lie inside.
    rarely = np.flatnonzero(beyond <= level)
    if not len(rarely):
        return Interval(estimate, -np.inf, np.inf)
    rank = len(averages) - int(rarely[0])
    return Interval(estimate, float(averages[rank]), float(averages[-1 - rank]))


def p_above(differences: np.ndarray, shift: float) -> float:
    """One-sided p-value of "they lie at `shift` or below"; ties speak for that."""
    above = int(np.count_nonzero(walsh_averages(differences) > shift))
    return float(upper_tail(len(differences))[above])


@cache
def upper_tail(n: int) -> np.ndarray:
    """P(T >= t) of the signed-rank sum T of n differences, for t = 0 ... n (n + 1) / 2."""
    chance = np.ones(1)
    for rank in range(1, n + 1):
        grown = np.zeros(len(chance) + rank)
        grown[: len(chance)] += chance / 2
        grown[rank:] += chance / 2
        chance = grown
    return np.minimum(np.cumsum(chance[::-1])[::-1], 1.0)

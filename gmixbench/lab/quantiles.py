"""Data of any size by one rule, without random numbers: quantiles of a known mixture.

Observation i of n is the quantile at (j + 1/2) / n, where j = i k mod n, of the equal mixture of
Normal(-1, 1) and Normal(1, 1), which the package's data sets are drawn from. The step k is the
whole number nearest to n (sqrt(5) - 1) / 2 that shares no factor with n: so every quantile comes
once, and not in the order of its size, in which a processor guesses every branch.
"""

import math

import numpy as np

CENTRES = (-1.0, 1.0)

_WIDEST = 9.0  # no quantile of up to 10^9 observations lies beyond


def name_of(n: int) -> str:
    """Name of the data set of `n` observations."""
    return f"quantiles-{n}"


def quantiles(n: int) -> np.ndarray:
    """Observations by the rule above, shape (n,), each to within 1e-13."""
    from scipy.special import ndtr

    p = ((np.arange(n) * _step(n)) % n + 0.5) / n
    low, high = np.full(n, -_WIDEST), np.full(n, _WIDEST)
    for _ in range(48):  # bisection: 18 / 2^48 is the width that is left
        middle = (low + high) / 2
        below = sum(ndtr(middle - centre) for centre in CENTRES) / len(CENTRES) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def _step(n: int) -> int:
    golden = round(n * (math.sqrt(5) - 1) / 2)
    near = (golden + sign * off for off in range(golden) for sign in (1, -1))
    return next(k for k in near if math.gcd(k, n) == 1)

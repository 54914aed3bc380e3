"""Distribution of one mean: piecewise polynomial, so its CDF is exact and not a sum of steps."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.optimize.elementwise import find_root

from gmixbench.truth.cells import ORDER, U, W


@dataclass(frozen=True, eq=False)
class Marginal:
    """Density of one mean as polynomials on intervals, which may overlap: they add up.

    `low` and `size` have shape (k,); `mass` (k, p) holds Legendre coefficients, on [-1, 1], of the
    probability per unit of the interval. `mean` and `sd` are in units of the data.
    """

    low: np.ndarray
    size: np.ndarray
    mass: np.ndarray
    mean: float
    sd: float

    def pdf(self, t: np.ndarray) -> np.ndarray:
        """Density at `t`, any shape."""
        t = np.asarray(t, dtype=float)
        local = (t[..., None] - self.low) / self.size
        inside = (local >= 0) & (local <= 1)
        value = _evaluate(self.mass, np.clip(local, 0, 1))
        return np.asarray(np.where(inside, value / self.size, 0.0).sum(axis=-1))

    def cdf(self, t: np.ndarray) -> np.ndarray:
        """Probability of a value up to `t`, any shape."""
        t = np.asarray(t, dtype=float)
        local = np.clip((t[..., None] - self.low) / self.size, 0, 1)
        return np.asarray(_evaluate(cumulative(self.mass), local).sum(axis=-1))

    def quantile(self, p: np.ndarray) -> np.ndarray:
        """Value up to which the probability is `p`, any shape."""
        p = np.asarray(p, dtype=float)
        low = np.full(p.shape, self.low.min())
        high = np.full(p.shape, (self.low + self.size).max())
        return np.asarray(find_root(lambda t, level: self.cdf(t) - level, (low, high), args=(p,)).x)


TO_LEGENDRE = np.linalg.inv(legendre.legvander(2 * U - 1, ORDER - 1))
"""From values at the nodes of a cell to Legendre coefficients."""


def cumulative(mass: np.ndarray) -> np.ndarray:
    """Coefficients of the integral from the left end, of those along the last axis."""
    return np.asarray(0.5 * legendre.legint(mass, lbnd=-1, axis=-1))


def collect(low: np.ndarray, size: np.ndarray, values: np.ndarray) -> Marginal:
    """Marginal from probability per unit at the nodes of intervals.

    Parameters
    ----------
    low, size : (c,) intervals; those of cells in one column of a lattice repeat
    values : (c, p) values at the nodes
    """
    ends, column = np.unique(np.stack([low, size]), axis=1, return_inverse=True)
    summed = np.zeros((ends.shape[1], values.shape[1]))
    np.add.at(summed, column.reshape(-1), values)
    return Marginal(ends[0], ends[1], summed @ TO_LEGENDRE.T, *_moments(ends[0], ends[1], summed))


def blend(first: Marginal, second: Marginal) -> Marginal:
    """Equal mixture of two distributions."""
    mean = 0.5 * (first.mean + second.mean)
    variance = 0.5 * (first.sd**2 + second.sd**2) + (0.5 * (first.mean - second.mean)) ** 2
    return Marginal(
        np.concatenate([first.low, second.low]),
        np.concatenate([first.size, second.size]),
        0.5 * np.concatenate([first.mass, second.mass]),
        mean,
        float(np.sqrt(variance)),
    )


def _evaluate(coefficients: np.ndarray, local: np.ndarray) -> np.ndarray:
    # Polynomial k, of shape (k, p), at local[..., k] in [0, 1].
    spread = coefficients.T.reshape(
        coefficients.shape[1], *(1,) * (local.ndim - 1), len(coefficients)
    )
    return np.asarray(legendre.legval(2 * local - 1, spread, tensor=False))


def _moments(low: np.ndarray, size: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    # Relative to a place nearby, or the mean of data far from zero would drown their spread.
    probability = values * W / (values @ W).sum()
    origin = low[0]
    places = low[:, None] - origin + size[:, None] * U
    mean = float((probability * places).sum())
    variance = float((probability * (places - mean) ** 2).sum())
    return float(origin) + mean, float(np.sqrt(variance))

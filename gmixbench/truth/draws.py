"""Independent draws from the exact posterior, by inverting its CDF cell by cell."""

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import legendre

from gmixbench.truth.cells import ORDER, Cells, W
from gmixbench.truth.marginal import TO_LEGENDRE, cumulative

BATCH = 50_000
"""Draws made at a time, so that memory stays small however many are asked for."""


def draw(regions: Sequence[Cells], count: int, rng: np.random.Generator) -> np.ndarray:
    """Independent draws with m1 < m2, shape (count, 2).

    A cell is drawn by its mass, then m1 from its margin in the cell and m2 given m1, each by
    bisection on the integral of the interpolating polynomial: exact to the quadrature's rounding.
    """
    low = np.concatenate([region.low for region in regions])
    size = np.concatenate([region.size for region in regions])
    half = np.concatenate([region.half for region in regions])
    across = np.concatenate([region.across for region in regions])
    density = np.exp(across - across.max())
    margin = density @ W
    mass = margin @ W
    chosen = rng.choice(len(mass), size=count, p=mass / mass.sum())
    means = np.empty((count, 2))
    for start in range(0, count, BATCH):
        cell = chosen[start : start + BATCH]
        u = _invert(margin[cell] @ TO_LEGENDRE.T, rng.random(len(cell)))
        at_u = legendre.legvander(2 * u - 1, ORDER - 1) @ TO_LEGENDRE
        given_u = np.einsum("ni,nij->nj", at_u, density[cell])
        v = _invert(given_u @ TO_LEGENDRE.T, rng.random(len(cell)))
        first = low[cell, 0] + size[cell, 0] * u
        top = low[cell, 1] + size[cell, 1]
        second = np.where(half[cell], first + (top - first) * v, low[cell, 1] + size[cell, 1] * v)
        means[start : start + BATCH] = np.stack([first, second], axis=1)
    return means


def _invert(coefficients: np.ndarray, p: np.ndarray) -> np.ndarray:
    grown = cumulative(coefficients).T
    target = p * legendre.legval(1.0, grown)
    low, high = np.zeros_like(p), np.ones_like(p)
    for _ in range(45):
        middle = 0.5 * (low + high)
        below = legendre.legval(2 * middle - 1, grown, tensor=False) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))

"""The normal that a library draws from, found from its draws and what it says their density is."""

from typing import Tuple

import numpy as np

LEAST = 6
"""Draws that determine a quadratic of two coordinates."""

OFF = 1e-8
"""Nats by which a log density may be off a quadratic, by rounding, and still be a normal's."""


def normal_of(points: np.ndarray, log_density: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Location and lower factor of the covariance of a normal, from its log density at points.

    A normal's log density is a quadratic, so a few points determine it to rounding, whatever
    factors of it a library keeps and whether it multiplies them as it should: what is found is what
    is drawn from.

    Parameters
    ----------
    points : (k, 2) draws from it, k >= 6
    log_density : (k,) of each, in nats

    Returns
    -------
    location (2,), cholesky (2, 2)

    Raises
    ------
    ValueError
        There are too few points, they are not finite, or no normal has this log density.
    """
    points, log_density = np.asarray(points, dtype=float), np.asarray(log_density, dtype=float)
    finite = np.all(np.isfinite(points)) and np.all(np.isfinite(log_density))
    if len(points) < LEAST or not finite:
        raise ValueError("{} finite draws are wanted, to find their normal".format(LEAST))
    centre, spread = points.mean(axis=0), points.std(axis=0)
    if not np.all(spread > 0):
        raise ValueError("the draws do not vary")
    first, second = ((points - centre) / spread).T
    terms = np.stack(
        [np.ones(len(points)), first, second, first**2, first * second, second**2], axis=1
    )
    found = np.linalg.lstsq(terms, log_density, rcond=None)[0]
    off = float(np.max(np.abs(terms @ found - log_density)))
    precision = -np.array([[2 * found[3], found[4]], [found[4], 2 * found[5]]])
    if not off <= OFF or not np.all(np.linalg.eigvalsh(precision) > 0):
        raise ValueError("no normal has the log density that is told of the draws")
    covariance = np.linalg.inv(precision)
    location = centre + spread * (covariance @ found[1:3])
    return location, spread[:, None] * np.linalg.cholesky(covariance)

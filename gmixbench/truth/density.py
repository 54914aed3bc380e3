"""The written density: the one place where the models' maths stands.

For observations x_i with standard deviation s, prior Normal(a, b) and means m = (m1, m2)::

    log p(x, m) = sum_k log Normal(m_k; a, b)
                  + sum_i log(1/2 Normal(x_i; m1, s) + 1/2 Normal(x_i; m2, s))

The labels are summed out by log-sum-exp, so means far apart neither overflow nor underflow.
`ordered` restricts this to m1 < m2 without renormalizing. On its unconstrained scale
y = (m1, log(m2 - m1)) the log-Jacobian y2 is added (Stan Reference Manual, "Ordered vector").
"""

import math
from collections.abc import Iterator

import numpy as np

from gmixbench.spec import WEIGHTS, Mixture

BLOCK = 12_000
"""Pairs of point and observation worked on at a time: few enough to stay in a core's cache."""


def constrain(model: Mixture, points: np.ndarray) -> np.ndarray:
    """Means at unconstrained points; both have shape (k, 2)."""
    points = np.asarray(points, dtype=float)
    if not model.ordered:
        return points.copy()
    return np.stack([points[:, 0], points[:, 0] + np.exp(points[:, 1])], axis=1)


def unconstrain(model: Mixture, means: np.ndarray) -> np.ndarray:
    """Unconstrained points of means, shape (k, 2); the inverse of `constrain`.

    Raises
    ------
    ValueError
        The model is ordered and a first mean is not below its second.
    """
    means = np.asarray(means, dtype=float)
    if not model.ordered:
        return means.copy()
    gap = means[:, 1] - means[:, 0]
    if np.any(gap <= 0):
        raise ValueError("ordered means need m1 < m2")
    return np.stack([means[:, 0], np.log(gap)], axis=1)


def log_joint(
    model: Mixture, x: np.ndarray, means: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Log joint density of data and means on the constrained scale, in nats.

    The ordering restriction is the caller's: the value is the same for both models.

    Parameters
    ----------
    x : (n,) observations
    means : (k, 2) points
    weights : (n,) how often each observation counts; once if not given

    Returns
    -------
    (k,) array
    """
    means = np.asarray(means, dtype=float)
    count = len(x) if weights is None else float(weights.sum())
    value = _log_prior(model, means) + _log_constant(model, count)
    for rows, columns in _blocks(len(means), len(x)):
        first, second = _log_kernels(model, x[columns], means[rows])
        value[rows] += _weighted_sum(_log_sum_exp(first, second), weights, columns)
    return value


def log_joint_gradient(
    model: Mixture, x: np.ndarray, means: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log joint density as `log_joint` gives it, and its gradient in the means, shape (k, 2)."""
    means = np.asarray(means, dtype=float)
    count = len(x) if weights is None else float(weights.sum())
    value = _log_prior(model, means) + _log_constant(model, count)
    gradient = (model.prior.mean - means) / model.prior.scale**2
    variance = model.sigma**2
    for rows, columns in _blocks(len(means), len(x)):
        first, second = _log_kernels(model, x[columns], means[rows])
        value[rows] += _weighted_sum(_log_sum_exp(first, second), weights, columns)
        share = _expit(second - first)
        for k, responsibility in enumerate((1.0 - share, share)):
            pull = responsibility * (x[columns] - means[rows, k : k + 1]) / variance
            gradient[rows, k] += _weighted_sum(pull, weights, columns)
    return value, gradient


def log_density(
    model: Mixture, x: np.ndarray, points: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log density and gradient on the unconstrained scale, log-Jacobian included.

    Parameters
    ----------
    x : (n,) observations
    points : (k, 2) unconstrained points
    weights : (n,) how often each observation counts; once if not given

    Returns
    -------
    values (k,) in nats, gradients (k, 2)
    """
    points = np.asarray(points, dtype=float)
    value, gradient = log_joint_gradient(model, x, constrain(model, points), weights)
    if not model.ordered:
        return value, gradient
    slope = np.exp(points[:, 1])
    chained = np.stack([gradient.sum(axis=1), gradient[:, 1] * slope + 1.0], axis=1)
    return value + points[:, 1], chained


def _log_prior(model: Mixture, means: np.ndarray) -> np.ndarray:
    prior = model.prior
    standard = (means - prior.mean) / prior.scale
    constant = math.log(prior.scale) + 0.5 * math.log(2 * math.pi)
    return np.asarray((-0.5 * standard**2 - constant).sum(axis=1))


def _log_kernels(model: Mixture, x: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Normal densities without their constant factor, which `_log_constant` adds once.
    unit = model.sigma * math.sqrt(2)
    x, means = x / unit, means / unit
    first, second = x - means[:, :1], x - means[:, 1:]
    return np.negative(first * first), np.negative(second * second)


def _log_constant(model: Mixture, count: float) -> float:
    # The weights are equal, so they are part of it.
    return count * (math.log(WEIGHTS[0]) - math.log(model.sigma) - 0.5 * math.log(2 * math.pi))


def _log_sum_exp(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    # np.logaddexp is the same to the last bits and takes four times as long.
    return np.asarray(np.maximum(first, second) + np.log1p(np.exp(-np.abs(first - second))))


def _expit(value: np.ndarray) -> np.ndarray:
    # tanh saturates instead of overflowing.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * value)))


def _weighted_sum(terms: np.ndarray, weights: np.ndarray | None, columns: slice) -> np.ndarray:
    return np.asarray(terms.sum(axis=1) if weights is None else terms @ weights[columns])


def _blocks(points: int, observations: int) -> Iterator[tuple[slice, slice]]:
    width = min(observations, BLOCK)
    height = max(1, BLOCK // max(1, width))
    for row in range(0, points, height):
        for column in range(0, observations, width):
            yield slice(row, row + height), slice(column, column + width)

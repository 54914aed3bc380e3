"""The written density: the one place where the models' maths stands.

For observations x_i with standard deviation s, prior Normal(a, b) and means m = (m1, m2)::

    log p(x, m) = sum_k log Normal(m_k; a, b)
                  + sum_i log(1/2 Normal(x_i; m1, s) + 1/2 Normal(x_i; m2, s))

The labels are summed out by log-sum-exp, so means far apart neither overflow nor underflow.
`ordered` restricts this to m1 < m2 without renormalizing. On its unconstrained scale
y = (m1, log(m2 - m1)) the log-Jacobian y2 is added (Stan Reference Manual, "Ordered vector").

A general mixture has parameters (m1, m2, s1, s2, theta), and in place of the above::

    log p(x, m, s, theta) = sum_k log Normal(m_k; a, b) + sum_k log HalfNormal(s_k; c)
                            + log Beta(theta; d, e)
                            + sum_i log(theta Normal(x_i; m1, s1) + (1 - theta) Normal(x_i; m2, s2))

Its unconstrained scale goes on with y = (.., log s1, log s2, logit theta), and its log-Jacobian
with log s1 + log s2 + log theta + log(1 - theta) ("Lower bounded scalar", "Lower and upper bounded
scalar").
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import betaln, expit, logit

from gmixbench.spec import WEIGHTS, Mixture, Spread

BLOCK = 12_000
"""Pairs of point and observation worked on at a time: few enough to stay in a core's cache."""


def constrain(model: Mixture, points: np.ndarray) -> np.ndarray:
    """Parameters at unconstrained points; both have shape (k, d)."""
    points = np.asarray(points, dtype=float)
    values = points.copy()
    if model.ordered:
        values[:, 1] = points[:, 0] + np.exp(points[:, 1])
    if model.spread is not None:
        values[:, 2:4], values[:, 4] = np.exp(points[:, 2:4]), expit(points[:, 4])
    return values


def unconstrain(model: Mixture, parameters: np.ndarray) -> np.ndarray:
    """Unconstrained points of parameters, shape (k, d); the inverse of `constrain`.

    Raises
    ------
    ValueError
        The model is ordered and a first mean is not below its second.
    """
    values = np.asarray(parameters, dtype=float)
    points = values.copy()
    if model.ordered:
        gap = values[:, 1] - values[:, 0]
        if np.any(gap <= 0):
            raise ValueError("ordered means need m1 < m2")
        points[:, 1] = np.log(gap)
    if model.spread is not None:
        points[:, 2:4], points[:, 4] = np.log(values[:, 2:4]), logit(values[:, 4])
    return points


def log_joint(
    model: Mixture, x: np.ndarray, parameters: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Log joint density of data and parameters on the constrained scale, in nats.

    The ordering restriction is the caller's: the value is the same for both models.

    Parameters
    ----------
    x : (n,) observations
    parameters : (k, d) points
    weights : (n,) how often each observation counts; once if not given

    Returns
    -------
    (k,) array
    """
    parameters = np.asarray(parameters, dtype=float)
    count = len(x) if weights is None else float(weights.sum())
    value = _log_prior(model, parameters) + _log_constant(model, count)
    for rows, columns in _blocks(len(parameters), len(x)):
        first, second = _log_kernels(model, x[columns], parameters[rows])
        value[rows] += _weighted_sum(_log_sum_exp(first, second), weights, columns)
    return value


def log_joint_gradient(
    model: Mixture, x: np.ndarray, parameters: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log joint density as `log_joint` gives it, and its gradient in the parameters, (k, d)."""
    parameters = np.asarray(parameters, dtype=float)
    count = len(x) if weights is None else float(weights.sum())
    value = _log_prior(model, parameters) + _log_constant(model, count)
    gradient = _log_prior_gradient(model, parameters)
    for rows, columns in _blocks(len(parameters), len(x)):
        some = parameters[rows]
        first, second = _log_kernels(model, x[columns], some)
        value[rows] += _weighted_sum(_log_sum_exp(first, second), weights, columns)
        share = _expit(second - first)
        for k, responsibility in enumerate((1.0 - share, share)):
            sigma = model.sigma if model.spread is None else some[:, 2 + k : 3 + k]
            offset = x[columns] - some[:, k : k + 1]
            pull = responsibility * offset / sigma**2
            gradient[rows, k] += _weighted_sum(pull, weights, columns)
            if model.spread is not None:
                stretch = responsibility * ((offset / sigma) ** 2 - 1.0) / sigma
                gradient[rows, 2 + k] += _weighted_sum(stretch, weights, columns)
                # The second component's weight is 1 - theta.
                weight = some[:, 4:] - float(k)
                gradient[rows, 4] += _weighted_sum(responsibility / weight, weights, columns)
    return value, gradient


def log_density(
    model: Mixture, x: np.ndarray, points: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Log density and gradient on the unconstrained scale, log-Jacobian included.

    Parameters
    ----------
    x : (n,) observations
    points : (k, d) unconstrained points
    weights : (n,) how often each observation counts; once if not given

    Returns
    -------
    values (k,) in nats, gradients (k, d)
    """
    points = np.asarray(points, dtype=float)
    parameters = constrain(model, points)
    value, gradient = log_joint_gradient(model, x, parameters, weights)
    if model.ordered:
        gradient[:, 0] += gradient[:, 1]
        gradient[:, 1] = gradient[:, 1] * np.exp(points[:, 1]) + 1.0
        value = value + points[:, 1]
    if model.spread is not None:
        sigmas, theta = parameters[:, 2:4], parameters[:, 4]
        gradient[:, 2:4] = gradient[:, 2:4] * sigmas + 1.0
        gradient[:, 4] = gradient[:, 4] * theta * (1.0 - theta) + 1.0 - 2.0 * theta
        value = value + points[:, 2:4].sum(axis=1) + np.log(theta) + np.log1p(-theta)
    return value, gradient


def _log_prior(model: Mixture, parameters: np.ndarray) -> np.ndarray:
    value = _log_normal(parameters[:, :2], model.prior.mean, model.prior.scale)
    if model.spread is not None:
        value += _log_spread(model.spread, parameters)
    return value


def _log_normal(values: np.ndarray, mean: float, scale: float) -> np.ndarray:
    standard = (values - mean) / scale
    constant = math.log(scale) + 0.5 * math.log(2 * math.pi)
    return np.asarray((-0.5 * standard**2 - constant).sum(axis=1))


def _log_spread(spread: Spread, parameters: np.ndarray) -> np.ndarray:
    half = _log_normal(parameters[:, 2:4], 0.0, spread.sigma_scale) + 2 * math.log(2)
    (first, second), theta = spread.weight, parameters[:, 4]
    beta = (first - 1) * np.log(theta) + (second - 1) * np.log1p(-theta) - betaln(first, second)
    return np.asarray(half + beta)


def _log_prior_gradient(model: Mixture, parameters: np.ndarray) -> np.ndarray:
    means = (model.prior.mean - parameters[:, :2]) / model.prior.scale**2
    if model.spread is None:
        return means
    (first, second), theta = model.spread.weight, parameters[:, 4:]
    sigmas = -parameters[:, 2:4] / model.spread.sigma_scale**2
    return np.concatenate(
        [means, sigmas, (first - 1) / theta - (second - 1) / (1.0 - theta)], axis=1
    )


def _log_kernels(
    model: Mixture, x: np.ndarray, parameters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # Normal densities without their constant factor, which `_log_constant` adds once.
    if model.spread is not None:
        return _weighted_log_kernels(x, parameters)
    unit = model.sigma * math.sqrt(2)
    x, means = x / unit, parameters / unit
    first, second = x - means[:, :1], x - means[:, 1:]
    return np.negative(first * first), np.negative(second * second)


def _weighted_log_kernels(x: np.ndarray, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    theta = parameters[:, 4:]
    first, second = (
        log_weight - np.log(sigma) - 0.5 * ((x - mean) / sigma) ** 2
        for log_weight, mean, sigma in (
            (np.log(theta), parameters[:, :1], parameters[:, 2:3]),
            (np.log1p(-theta), parameters[:, 1:2], parameters[:, 3:4]),
        )
    )
    return first, second


def _log_constant(model: Mixture, count: float) -> float:
    constant = -0.5 * math.log(2 * math.pi)
    if model.spread is None:  # the weights are equal, so they are part of it
        constant += math.log(WEIGHTS[0]) - math.log(model.sigma)
    return count * constant


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

"""Where the posterior of m1 <= m2 has its modes."""

import math

import numpy as np
from scipy.optimize import minimize

from gmixbench.spec import Mixture
from gmixbench.truth import density
from gmixbench.truth.condense import Observations

THINNED = 512
"""Observations the search works on; more are grouped into as many equal groups."""

ROUNDS = 60
"""Rounds of expectation-maximization before the polish."""


def candidates(model: Mixture, x: np.ndarray) -> np.ndarray:
    """Rough places of all modes for sorted `x`, best first, shape (k, 2) with m1 <= m2.

    Every way to cut the sorted data in two is a start, and so is a mean left to its prior:
    where the components are told apart, a mode is such a cut. EM runs from each (Dempster, Laird
    and Rubin 1977).
    """
    groups = np.array_split(x, min(len(x), THINNED))
    nodes = np.array([group.mean() for group in groups])
    weights = np.array([len(group) for group in groups], dtype=float)
    means = _climb(model, nodes, weights, _starts(model, nodes, weights))
    value = density.log_joint(model, nodes, means, weights)
    order = np.argsort(-value)
    means = np.sort(means[order], axis=1)
    width = model.sigma / math.sqrt(len(x))
    kept: list[np.ndarray] = []
    for mean in means:
        if all(np.max(np.abs(mean - other)) > width for other in kept):
            kept.append(mean)
    return np.array(kept)


def polish(
    model: Mixture, data: Observations, start: np.ndarray, unit: np.ndarray | float
) -> np.ndarray:
    """Point of the mode next to `start` on the model's unconstrained scale, shape (2,).

    `unit` is about the size of a standard deviation there.
    """

    def loss(step: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density.log_density(
            model, data.x, (start + unit * step)[None], data.weights
        )
        return -float(value[0] - origin), -unit * gradient[0]

    origin = float(density.log_density(model, data.x, start[None], data.weights)[0][0])
    found = minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-7})
    return np.asarray(start + unit * found.x)


def diagonal(model: Mixture, x: np.ndarray) -> np.ndarray:
    """Means of the best point on m1 = m2, where the mixture is one normal; shape (2,)."""
    variance, prior = model.sigma**2, model.prior
    precision = len(x) / variance + 2 / prior.scale**2
    best = (x.sum() / variance + 2 * prior.mean / prior.scale**2) / precision
    return np.array([best, best])


def _starts(model: Mixture, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    cuts = np.unique(np.round(np.linspace(1, len(x) - 1, min(len(x) - 1, 96))).astype(int))
    count, total = np.cumsum(weights), np.cumsum(weights * x)
    left = total[cuts - 1] / count[cuts - 1]
    right = (total[-1] - total[cuts - 1]) / (count[-1] - count[cuts - 1])
    alone = [model.prior.mean, total[-1] / count[-1]]
    return np.concatenate([np.stack([left, right], axis=1), [alone]])


def _climb(model: Mixture, x: np.ndarray, weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    # Without log densities: EM needs only the share of each observation.
    prior_precision = (model.sigma / model.prior.scale) ** 2
    for _ in range(ROUNDS):
        centre = means.mean(axis=1, keepdims=True)
        odds = (means[:, 1:] - means[:, :1]) * (x - centre) / model.sigma**2
        share = 0.5 * (1.0 + np.tanh(0.5 * odds)) * weights
        for k, part in enumerate((weights - share, share)):
            count = part.sum(axis=1) + prior_precision
            means[:, k] = (part @ x + prior_precision * model.prior.mean) / count
    return means

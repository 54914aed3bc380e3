"""The best mean-field normal, and the exact loss of any other.

The loss of a normal q with independent coordinates on the unconstrained scale is the negative ELBO
E_q[log q - log p] (Kucukelbir et al. 2017, ADVI, eq. 5), here by Gauss-Hermite quadrature instead
of Monte Carlo. No mean-field fit can have a lower one than the best.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import minimize

from gmixbench.spec import Mixture
from gmixbench.truth import density
from gmixbench.truth.condense import Observations, around, condense

ORDERS = (24, 48, 96, 192)
"""Gauss-Hermite points in each direction, tried until the loss stands still."""

SETTLED = 1e-11
"""Relative change of the loss below which it stands still."""

REACH = 9.0
"""Standard deviations beyond which a normal weighs less than rounding."""


@dataclass(frozen=True, eq=False)
class MeanField:
    """Normal with independent coordinates on the unconstrained scale.

    `location` and `scale` have shape (2,). `loss` is its negative ELBO in nats; `error` bounds what
    more quadrature points would change in it.
    """

    location: np.ndarray
    scale: np.ndarray
    loss: float
    error: float


def mean_field_loss(
    model: Mixture, x: np.ndarray, location: np.ndarray, scale: np.ndarray
) -> tuple[float, float]:
    """Exact negative ELBO of a mean-field normal, and its error, in nats.

    Parameters
    ----------
    x : (n,) sorted observations
    location, scale : (2,) on the unconstrained scale

    Returns
    -------
    (loss, error); both are infinite or nan where the normal is not one
    """
    location, scale = np.asarray(location, dtype=float), np.asarray(scale, dtype=float)
    if not (np.all(np.isfinite(location)) and np.all(np.isfinite(scale)) and np.all(scale > 0)):
        return math.nan, math.nan
    data = _observe(model, x, location, scale)
    loss, change = math.inf, math.inf
    for order in ORDERS:
        finer = _loss(model, data, location, scale, order)[0]
        change, loss = abs(finer - loss), finer
        if change <= SETTLED * abs(loss):
            break
    return loss, change + 4 * float(np.spacing(abs(loss)))


def best_mean_field(
    model: Mixture, x: np.ndarray, starts: Sequence[tuple[np.ndarray, np.ndarray]]
) -> MeanField:
    """Mean-field normal of least loss, the best that any of `starts` leads to.

    Parameters
    ----------
    x : (n,) sorted observations
    starts : pairs of location and scale, each of shape (2,), on the unconstrained scale
    """
    found = [_optimize(model, x, location, scale) for location, scale in starts]
    return min(found, key=lambda fit: fit.loss)


def _optimize(model: Mixture, x: np.ndarray, location: np.ndarray, scale: np.ndarray) -> MeanField:
    # Steps are in units of the start's own scale, so location and data may be of any size.
    data = _observe(model, x, location, 2 * scale)
    origin = _loss(model, data, location, scale, ORDERS[0])[0]

    def unpack(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return location + scale * step[:2], scale * np.exp(np.clip(step[2:], -30, 3))

    def objective(step: np.ndarray, order: int) -> tuple[float, np.ndarray]:
        at, width = unpack(step)
        loss, slope_at, slope_log = _loss(model, data, at, width, order)
        return loss - origin, np.concatenate([slope_at * scale, slope_log])

    step = np.zeros(4)
    for order in ORDERS[:-1]:
        # The loss is flat at its least: a slope of 1e-6 leaves 1e-12 nats to gain.
        step = minimize(
            objective, step, args=(order,), jac=True, method="BFGS", options={"gtol": 1e-6}
        ).x
        coarse, (loss, error) = objective(step, order)[0], mean_field_loss(model, x, *unpack(step))
        if abs(coarse + origin - loss) <= 1e-9 * max(1.0, abs(loss)):
            break
    return MeanField(*unpack(step), loss, error + 1e-11)


def _observe(
    model: Mixture, x: np.ndarray, location: np.ndarray, scale: np.ndarray
) -> Observations:
    corners = location + REACH * scale * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    if model.ordered:
        # exp(3) times the gap at the centre is more than a normal of any use would reach.
        corners[:, 1] = np.minimum(corners[:, 1], location[1] + max(3.0, 3 * float(scale[1])))
    means = density.constrain(model, corners)
    if not model.ordered and (means[1, 0] - means[1, 1]) * (means[2, 0] - means[2, 1]) <= 0:
        # A normal that straddles m1 = m2: either mean may be anywhere in both ranges.
        means = np.array([np.full(2, means.min()), np.full(2, means.max())])
    return condense(x, model.sigma, around(means))


@cache
def _rule(order: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    weights = weights / weights.sum()
    first, second = (grid.ravel() for grid in np.meshgrid(nodes, nodes, indexing="ij"))
    product = np.outer(weights, weights).ravel()
    used = product > 1e-22
    return np.stack([first[used], second[used]], axis=1), product[used]


def _loss(
    model: Mixture, data: Observations, location: np.ndarray, scale: np.ndarray, order: int
) -> tuple[float, np.ndarray, np.ndarray]:
    # Gradients by the reparameterization z -> location + scale * z.
    nodes, weights = _rule(order)
    value, gradient = density.log_density(model, data.x, location + scale * nodes, data.weights)
    entropy = float(np.log(scale).sum()) + 1.0 + math.log(2 * math.pi)
    return (
        -float(weights @ value) - entropy,
        -(weights @ gradient),
        -(weights @ (gradient * nodes * scale)) - 1.0,
    )

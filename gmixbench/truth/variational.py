"""The best normals of two families, Laplace's, and the exact loss of any other.

The loss of a normal q on the unconstrained scale is the negative ELBO E_q[log q - log p]
(Kucukelbir et al. 2017, ADVI, eq. 5), here by Gauss-Hermite quadrature instead of Monte Carlo. No
fit of a family can have a lower one than its best: of the mean-field normals, whose coordinates are
independent, and of all of them, which are of full rank.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.differentiate import jacobian
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


NEWTON = 3
"""Steps to a mode from a point that is one to some digits: each doubles them."""

CURVED = 1e-10
"""Relative error of the curvature at a mode that is asked for."""


@dataclass(frozen=True, eq=False)
class Normal:
    """A normal on the unconstrained scale.

    `location` has shape (2,), `cholesky`, the lower factor of its covariance, shape (2, 2). `loss`
    is its negative ELBO in nats; `error` bounds what more quadrature points would change in it.
    """

    location: np.ndarray
    cholesky: np.ndarray
    loss: float
    error: float


def normal_loss(
    model: Mixture, x: np.ndarray, location: np.ndarray, cholesky: np.ndarray
) -> tuple[float, float]:
    """Exact negative ELBO of a normal, and its error, in nats.

    Parameters
    ----------
    x : (n,) sorted observations
    location : (2,) on the unconstrained scale
    cholesky : (2, 2) lower factor of the covariance there

    Returns
    -------
    (loss, error); both are infinite or nan where the normal is not one
    """
    location, cholesky = np.asarray(location, dtype=float), np.asarray(cholesky, dtype=float)
    finite = np.all(np.isfinite(location)) and np.all(np.isfinite(cholesky))
    if not (finite and np.all(np.diag(cholesky) > 0) and cholesky[0, 1] == 0):
        return math.nan, math.nan
    data = _observe(model, x, location, cholesky)
    loss, change = math.inf, math.inf
    for order in ORDERS:
        finer = _loss(model, data, location, cholesky, order)[0]
        change, loss = abs(finer - loss), finer
        if change <= SETTLED * abs(loss):
            break
    return loss, change + 4 * float(np.spacing(abs(loss)))


def best_mean_field(
    model: Mixture, x: np.ndarray, starts: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Normal:
    """Mean-field normal of least loss, the best that any of `starts` leads to.

    Parameters
    ----------
    x : (n,) sorted observations
    starts : pairs of location and scale, each of shape (2,), on the unconstrained scale
    """
    found = [_optimize(model, x, start, np.diag(scale), _stretched) for start, scale in starts]
    return min(found, key=lambda fit: fit.loss)


def best_full_rank(
    model: Mixture, x: np.ndarray, starts: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Normal:
    """Normal of least loss, the best that any of `starts` leads to.

    Parameters
    ----------
    x : (n,) sorted observations
    starts : pairs of location, shape (2,), and lower factor of the covariance, shape (2, 2)
    """
    found = [_optimize(model, x, start, factor, _sheared) for start, factor in starts]
    return min(found, key=lambda fit: fit.loss)


def laplace(model: Mixture, x: np.ndarray, mode: np.ndarray, scale: np.ndarray) -> Normal | None:
    """Laplace's normal: at a mode, its precision the curvature there (Tierney and Kadane 1986).

    The mode is that of the density on the unconstrained scale, log-Jacobian included. `None` where
    the log density does not bend down in every direction.

    Parameters
    ----------
    x : (n,) sorted observations
    mode : (2,) a mode on the unconstrained scale, to some digits
    scale : (2,) about the standard deviations there
    """
    data = _observe(model, x, mode, np.diag(scale))

    def slope(steps: np.ndarray) -> np.ndarray:
        points = mode + scale * steps.reshape(2, -1).T
        gradient = density.log_density(model, data.x, points, data.weights)[1]
        return np.asarray((gradient * scale).T.reshape(steps.shape))

    def curvature(step: np.ndarray) -> np.ndarray:
        found = jacobian(slope, step, tolerances={"rtol": CURVED, "atol": CURVED}).df
        return np.asarray(0.5 * (found + found.T))

    step = np.zeros(2)
    for _ in range(NEWTON):
        bend = curvature(step)
        if not np.all(np.linalg.eigvalsh(bend) < 0):
            return None
        step = step - np.linalg.solve(bend, slope(step))
    covariance = np.linalg.inv(-curvature(step))
    location, cholesky = mode + scale * step, scale[:, None] * np.linalg.cholesky(covariance)
    return Normal(location, cholesky, *normal_loss(model, x, location, cholesky))


Steps = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From steps to what the start's factor is multiplied by, shape (2, 2), and how much each step
changes it, shape (steps, 2, 2)."""


def _stretched(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    widths = np.exp(np.clip(step, -30, 3))
    slopes = np.zeros((2, 2, 2))
    slopes[[0, 1], [0, 1], [0, 1]] = widths
    return np.diag(widths), slopes


def _sheared(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    factor, slopes = _stretched(step[:2])
    factor[1, 0] = step[2]
    shear = np.array([[[0.0, 0.0], [1.0, 0.0]]])
    return factor, np.concatenate([slopes, shear])


def _optimize(
    model: Mixture, x: np.ndarray, location: np.ndarray, cholesky: np.ndarray, steps: Steps
) -> Normal:
    # Steps are in units of the start's own scale, so location and data may be of any size.
    data = _observe(model, x, location, 2 * cholesky)
    origin = _loss(model, data, location, cholesky, ORDERS[0])[0]

    def unpack(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return location + cholesky @ step[:2], cholesky @ steps(step[2:])[0]

    def objective(step: np.ndarray, order: int) -> tuple[float, np.ndarray]:
        loss, slope_at, slope_factor = _loss(model, data, *unpack(step), order)
        inside = cholesky.T @ slope_factor
        slopes = np.einsum("ij,sij->s", inside, steps(step[2:])[1])
        return loss - origin, np.concatenate([cholesky.T @ slope_at, slopes])

    step = np.zeros(4 if steps is _stretched else 5)
    for order in ORDERS[:-1]:
        # The loss is flat at its least: a slope of 1e-6 leaves 1e-12 nats to gain.
        step = minimize(
            objective, step, args=(order,), jac=True, method="BFGS", options={"gtol": 1e-6}
        ).x
        coarse, (loss, error) = objective(step, order)[0], normal_loss(model, x, *unpack(step))
        if abs(coarse + origin - loss) <= 1e-9 * max(1.0, abs(loss)):
            break
    return Normal(*unpack(step), loss, error + 1e-11)


def _observe(
    model: Mixture, x: np.ndarray, location: np.ndarray, cholesky: np.ndarray
) -> Observations:
    scale = np.sqrt(np.sum(cholesky**2, axis=1))
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
    model: Mixture, data: Observations, location: np.ndarray, cholesky: np.ndarray, order: int
) -> tuple[float, np.ndarray, np.ndarray]:
    # Gradients by the reparameterization z -> location + cholesky z.
    nodes, weights = _rule(order)
    points = location + nodes @ cholesky.T
    value, gradient = density.log_density(model, data.x, points, data.weights)
    diagonal = np.diag(cholesky)
    entropy = float(np.log(diagonal).sum()) + 1.0 + math.log(2 * math.pi)
    return (
        -float(weights @ value) - entropy,
        -(weights @ gradient),
        -np.tril((gradient * weights[:, None]).T @ nodes) - np.diag(1.0 / diagonal),
    )

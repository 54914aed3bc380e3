"""A few weighted observations that stand for many, exact to rounding within a box of means.

Seen as a function of x, the log mixture density is a parabola plus log cosh(t) with
t = (m2 - m1) (x - (m1 + m2) / 2) / (2 sigma^2). Where |t| is large it is a parabola alone, and two
moments of those observations hold all they say. Elsewhere it is analytic with its nearest
singularities at |Im t| = pi / 2, so on short bins polynomial interpolation converges
geometrically and each observation can be spread over the bin's Chebyshev points (the anterpolation
of fast multipole methods; Trefethen, Approximation Theory and Approximation Practice, ch. 8).
So a million observations cost no more than a few hundred.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FAR = 40.0
"""Log odds (2|t|) beyond which a component owns an observation: exp(-40) is below rounding."""

HALF_WIDTH = 0.4
"""Half-width of a bin in units of t; with `NODES` points the error is below (8)^-NODES."""

NODES = 18
"""Chebyshev points in a bin."""


@dataclass(frozen=True)
class Box:
    """Means m1 in [low[0], high[0]] and m2 in [low[1], high[1]], where m1 <= m2 is of interest."""

    low: tuple[float, float]
    high: tuple[float, float]

    def covers(self, other: "Box") -> bool:
        """Whether all of another box lies inside."""
        lower = self.low[0] <= other.low[0] and self.low[1] <= other.low[1]
        return lower and self.high[0] >= other.high[0] and self.high[1] >= other.high[1]

    def widened(self) -> "Box":
        """Box of the same centre and three times the size."""
        (a, b), (c, d) = self.low, self.high
        return Box((2 * a - c, 2 * b - d), (2 * c - a, 2 * d - b))


def around(means: np.ndarray, margin: np.ndarray | float = 0.0) -> Box:
    """Least box of means, shape (k, 2), and a margin around it; labels are put in order first."""
    means = np.sort(means, axis=1)
    low, high = means.min(axis=0) - margin, means.max(axis=0) + margin
    return Box((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations x of weight `weights`, both of shape (n,), that hold for means in `box`.

    `box` is `None` where they are the data themselves and hold everywhere.
    """

    x: np.ndarray
    weights: np.ndarray
    box: Box | None = None


Observe = Callable[[Box], Observations]
"""Observations that hold in a box."""


def observer(x: np.ndarray, sigma: float) -> Observe:
    """Observations of sorted `x` for any box, kept as long as they hold for what is asked."""
    last: list[Observations] = []

    def observe(box: Box) -> Observations:
        if not last or not (last[0].box is None or last[0].box.covers(box)):
            last[:] = [condense(x, sigma, box.widened())]
        return last[0]

    return observe


def condense(x: np.ndarray, sigma: float, box: Box) -> Observations:
    """Weighted observations whose log likelihood is that of sorted `x` for means in `box`.

    Returns the data themselves where they are as few. Weights may be negative; they sum to n.
    """
    left, right = _owned(x, sigma, box)
    widest = max(box.high[1] - box.low[0], 1e-300)
    width = 2 * HALF_WIDTH * 2 * sigma**2 / widest
    middle = x[left:right]
    span = float(middle[-1] - middle[0]) if len(middle) else 0.0
    bins = int(span / width) + 1
    if bins * NODES + 4 >= len(x):
        return Observations(x, np.ones(len(x)))
    parts = [_two_points(x[:left]), _two_points(x[right:])]
    if len(middle):
        parts.append(_spread(middle, bins, span))
    return Observations(
        np.concatenate([nodes for nodes, _ in parts]),
        np.concatenate([weights for _, weights in parts]),
        box,
    )


def _owned(x: np.ndarray, sigma: float, box: Box) -> tuple[int, int]:
    # The log odds of the second component are ((x - m1)^2 - (x - m2)^2) / (2 sigma^2); over the
    # box each square has its extremes at an end or at zero.
    def extremes(k: int) -> tuple[np.ndarray, np.ndarray]:
        to_low, to_high = x - box.low[k], x - box.high[k]
        inside = (to_low > 0) & (to_high < 0)
        squares = to_low**2, to_high**2
        return np.where(inside, 0.0, np.minimum(*squares)), np.maximum(*squares)

    (least_1, most_1), (least_2, most_2) = extremes(0), extremes(1)
    limit = 2 * sigma**2 * FAR
    owned_by_first = most_1 - least_2 < -limit
    owned_by_second = least_1 - most_2 > limit
    left = int(np.argmin(owned_by_first)) if not owned_by_first.all() else len(x)
    owned_from_right = owned_by_second[::-1]
    right = len(x) - (int(np.argmin(owned_from_right)) if not owned_from_right.all() else len(x))
    return left, max(left, right)


def _two_points(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Gauss's rule of two points for the empirical distribution: exact for cubics, and its nodes
    # lie among the observations, so they are owned too.
    if len(x) <= 2:
        return x, np.ones(len(x))
    centre = float(x.mean())
    deviation = x - centre
    variance = float(np.mean(deviation**2))
    if variance == 0.0:
        return np.array([centre]), np.array([float(len(x))])
    skew = float(np.mean(deviation**3)) / variance
    root = np.sqrt(0.25 * skew**2 + variance)
    nodes = np.array([0.5 * skew - root, 0.5 * skew + root])
    share = nodes[1] / (nodes[1] - nodes[0])
    return centre + nodes, len(x) * np.array([share, 1.0 - share])


def _spread(x: np.ndarray, bins: int, span: float) -> tuple[np.ndarray, np.ndarray]:
    if span == 0.0:
        return x[:1], np.array([float(len(x))])
    width = span / bins
    index = np.minimum(((x - x[0]) / width).astype(int), bins - 1)
    angle = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    nodes = np.cos(angle)
    local = 2 * ((x - x[0]) / width - index) - 1
    weights = np.zeros((NODES, bins))
    # Lagrange's polynomial of node k is 1/N + 2/N sum_j T_j(node_k) T_j(x).
    previous, current = np.ones_like(local), local
    moments = np.empty((NODES, bins))
    moments[0] = np.bincount(index, minlength=bins)
    for degree in range(1, NODES):
        moments[degree] = np.bincount(index, weights=current, minlength=bins)
        previous, current = current, 2 * local * current - previous
    basis = np.cos(np.outer(np.arange(NODES), angle))
    basis[0] *= 0.5
    weights = 2 / NODES * basis.T @ moments
    places = x[0] + width * (np.arange(bins) + 0.5 * (nodes[:, None] + 1))
    used = np.broadcast_to(moments[0] > 0, places.shape)
    return places[used], weights[used]

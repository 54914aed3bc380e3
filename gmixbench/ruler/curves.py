"""Every series that a plot shows, computed here so that the report only draws.

Densities and ranks and autocorrelations are ArviZ's, from plain arrays. Values that are not
finite are left out of densities and ranks, so a run that broke can still be looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from gmixbench.ruler.arviz import array_stats
from gmixbench.ruler.score import WINDOW, Posterior
from gmixbench.spec import WEIGHTS, Mixture
from gmixbench.truth.exact import Exact
from gmixbench.truth.marginal import Marginal

Array = NDArray[np.float64]

MAX_LAG = 1000
"""Longest lag of an autocorrelation, in draws."""

FEWEST = 20
"""Draws below which a kernel density says nothing."""

HALF_DECADES = 6
"""Contours at the peak's density times 10^-1/2, 10^-1, ... 10^-3: what 20,000 draws resolve."""

_GRID = 129


@dataclass(frozen=True, eq=False)
class Curve:
    """A line: `x` and `y`, shape (k,)."""

    x: Array
    y: Array


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Autocorrelation at log-spaced `lags`, shape (k,), in draws.

    `own`, shape (chains, k), is about each chain's own mean and variance, as is usual; a chain
    that sits in one mode looks good there. `exact`, shape (k,), is about the exact mean and
    variance, averaged over chains; a chain that sits in one mode stays away from zero there.
    """

    lags: NDArray[np.int64]
    own: Array
    exact: Array


@dataclass(frozen=True, eq=False)
class Ranks:
    """Rank histogram: `edges` as shares of all draws, shape (bins + 1,).

    `ratio`, shape (chains, bins), is draws in the bin over draws expected there if the chains
    were alike.
    """

    edges: Array
    ratio: Array


@dataclass(frozen=True)
class Window:
    """A rectangle in the plane of both means, in units of the data."""

    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Surface:
    """A density over `x`, shape (nx,), and `y`, shape (ny,): `density` has shape (ny, nx).

    `resolved` is the least density that does not hang on one or two draws; 0 if it is exact.
    """

    x: Array
    y: Array
    density: Array
    resolved: float = 0.0


def relabel(means: Array) -> Array:
    """Sort the two means of each draw, shape (..., 2): smaller first, so labels can't switch."""
    return np.sort(means, axis=-1)


def draws_density(values: Array) -> Curve:
    """Kernel density of draws, shape (n,); empty where there are too few, or all are one.

    Bandwidth by the Improved Sheather-Jones rule, which does not smear two modes together.
    """
    values = values[np.isfinite(values)]
    if len(values) < FEWEST or np.ptp(values) == 0:
        return Curve(np.empty(0), np.empty(0))
    x, y, _ = array_stats().kde(values, bw="isj", bound_correction=False, grid_len=256)
    return Curve(x, y)


def exact_density(marginal: Marginal) -> Curve:
    """Exact density of one mean over all but 1e-6 of its mass on either side."""
    low, high = marginal.quantile(np.array([1e-6, 1 - 1e-6]))
    even = np.linspace(low, high, 257)
    # Two narrow modes far apart, of half the mass each, would fall between evenly spaced points.
    tail = np.geomspace(1e-6, 0.25, 65)
    shares = np.concatenate([tail, 0.5 - tail, 0.5 + tail, 1 - tail])
    x = np.union1d(even, marginal.quantile(shares))
    return Curve(x, marginal.pdf(x))


def autocorrelation(values: Array, mean: float, sd: float) -> Autocorrelation:
    """Autocorrelation of draws, shape (chains, draws), up to a quarter of the chain."""
    longest = max(1, min(MAX_LAG, values.shape[1] // 4))
    lags = np.unique(np.geomspace(1, longest, 120).astype(np.int64))
    lags = lags[lags < values.shape[1]]
    with np.errstate(all="ignore"):  # a chain that broke gives nan, which a plot leaves out
        covariance = array_stats().autocov(values, axis=-1)[:, np.concatenate([[0], lags])]
        offset = values.mean(axis=1, keepdims=True) - mean
        own = covariance[:, 1:] / covariance[:, :1]
        exact = (covariance[:, 1:] + offset**2).mean(axis=0) / sd**2
    return Autocorrelation(lags, own, exact)


def rank_histogram(values: Array, bins: int = 20) -> Ranks:
    """Histogram of the ranks of each chain's draws among all, from shape (chains, draws).

    Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis 16(2).
    """
    ranks = array_stats().compute_ranks(np.nan_to_num(values), axis=(-2, -1))
    edges = np.linspace(0, 1, bins + 1)
    share = (ranks - 0.5) / values.size
    counts = np.stack([np.histogram(chain, edges)[0] for chain in share])
    return Ranks(edges, counts * bins / values.shape[1])


def windows(exact: Exact, model: Mixture, means: Array) -> tuple[Window, ...]:
    """Where to look at the joint density: around the exact posterior and the draws, shape (n, 2).

    One rectangle; two for `unordered` modes so far apart that one would show two dots. Draws
    much further away than the posterior is wide do not widen it (see `outside`).
    """
    near = relabel(means[np.isfinite(means).all(axis=1)])
    sides = []
    for i, marginal in enumerate((exact.smaller, exact.larger)):
        low, high = marginal.quantile(np.array([1e-5, 1 - 1e-5]))
        width = high - low
        if near.size:
            reach = np.quantile(near[:, i], [0.001, 0.999])
            low = min(low, max(reach[0], low - width))
            high = max(high, min(reach[1], high + width))
        sides.append((float(low - 0.05 * width), float(high + 0.05 * width)))
    x, y = sides
    if model.ordered:
        return (Window(x, y),)
    both = (min(x[0], y[0]), max(x[1], y[1]))
    if both[1] - both[0] > 10 * max(x[1] - x[0], y[1] - y[0]):
        return Window(x, y), Window(y, x)
    return (Window(both, both),)


def outside(means: Array, shown: tuple[Window, ...]) -> float:
    """Share of draws, shape (n, 2), that no window shows; not finite counts as not shown."""
    seen = np.zeros(len(means), dtype=bool)
    for window in shown:
        inside = [(means[:, i] >= s[0]) & (means[:, i] <= s[1]) for i, s in _sides(window)]
        seen |= inside[0] & inside[1]
    return float(1 - seen.mean())


def _sides(window: Window) -> Iterator[tuple[int, tuple[float, float]]]:
    return enumerate((window.x, window.y))


def exact_surface(exact: Exact, model: Mixture, window: Window) -> Surface:
    """Exact joint density of both means; `nan` beyond the ordering, so no contour runs along it."""
    x, y = (np.linspace(*side, _GRID) for _, side in _sides(window))
    points = np.stack(np.meshgrid(x, y), axis=-1)
    density = exact.pdf(model, points.reshape(-1, 2)).reshape(_GRID, _GRID)
    if model.ordered:
        density = np.where(points[..., 0] < points[..., 1], density, np.nan)
    return Surface(x, y, density)


def draws_surface(model: Mixture, means: Array, window: Window) -> Surface:
    """Kernel density of draws, shape (n, 2), in the window.

    Normal kernel with Scott's factor n^(-1/6) times the larger spread of the *relabelled* draws:
    the distance between two modes says nothing about the width of either. For `ordered` the draws
    are mirrored at m1 = m2, so that the kernel loses nothing across that edge.
    """
    means = means[np.isfinite(means).all(axis=1)]
    n = len(means)
    edges = [np.linspace(*side, _GRID) for _, side in _sides(window)]
    x, y = ((e[1:] + e[:-1]) / 2 for e in edges)
    laid = np.concatenate([means, means[:, ::-1]]) if model.ordered else means
    counts = np.histogram2d(laid[:, 0], laid[:, 1], bins=edges)[0].T
    cell = np.array([y[1] - y[0], x[1] - x[0]])
    # Quantiles, as a lost chain may be far off; where labels switch, both means have both widths.
    reach = np.quantile(relabel(means), [0.16, 0.84], axis=0) if n else np.zeros((2, 2))
    width = min(float((reach[1] - reach[0]).max()) / 2, x[-1] - x[0], y[-1] - y[0])
    kernel = width * max(n, 1) ** (-1 / 6)
    density = gaussian_filter(counts / cell.prod(), sigma=kernel / cell, mode="constant")
    density /= max(n, 1)
    if model.ordered:
        density = np.where(x < y[:, None], density, np.nan)
    resolved = 2 / (n * 2 * np.pi * kernel**2) if n and kernel > 0 else 0.0
    return Surface(x, y, density, resolved)


def contour_levels(exact: Exact, model: Mixture) -> Array:
    """Log-spaced levels, rising, half a decade apart under the exact density's peak."""
    peak = float(exact.pdf(model, exact.modes[:1])[0])
    return peak * 10.0 ** (-np.arange(HALF_DECADES, 0, -1) / 2)


def running_loss(trace: Array) -> Curve:
    """Mean of the last 500 losses at each step from the 500th on (of all, in a shorter trace)."""
    width = min(WINDOW, len(trace))
    means = np.convolve(trace, np.full(width, 1 / width), mode="valid")
    return Curve(np.arange(width, len(trace) + 1, dtype=np.float64), means)


def thin_loss(trace: Array, most: int = 1500) -> Curve:
    """Every k-th loss, so that no more than `most` are left."""
    every = -(-len(trace) // most)
    return Curve(np.arange(1, len(trace) + 1, every, dtype=np.float64), trace[::every])


def loss_view(trace: Array, lines: Sequence[float]) -> tuple[float, float]:
    """Range of losses worth a look: the lines, and the trace but for its first descent."""
    late = trace[len(trace) // 5 :]
    late = late[np.isfinite(late)]
    ends = [*lines, *(np.quantile(late, [0.005, 0.995]) if late.size else [])]
    low, high = min(ends), max(ends)
    margin = 0.08 * (high - low)
    return float(low - margin), float(high + margin)


def data_histogram(x: Array) -> tuple[Array, Array]:
    """Histogram of the observations as a density, shape (bins,), and its edges, (bins + 1,)."""
    bins = int(np.clip(2 * len(x) ** 0.4, 8, 80))
    density, edges = np.histogram(x, bins=bins, density=True)
    return density, edges


def mixture_density(exact: Posterior, model: Mixture) -> tuple[Curve, tuple[Curve, ...]]:
    """Density of one observation at the posterior means: the mixture, and its two parts."""
    centres = [known.mean.value for known in exact.known()]
    sigmas, weights = (model.sigma, model.sigma), WEIGHTS
    if model.spread is not None:
        sigmas, weights = (centres[2], centres[3]), (centres[4], 1 - centres[4])
    low, high = float(np.min(exact.x)), float(np.max(exact.x))
    t = np.linspace(low - max(sigmas), high + max(sigmas), 257)
    parts = [
        weight * norm.pdf(t, centre, sigma)
        for weight, centre, sigma in zip(weights, centres[:2], sigmas, strict=True)
    ]
    return Curve(t, np.sum(parts, axis=0)), tuple(Curve(t, part) for part in parts)

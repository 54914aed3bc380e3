"""Releases in segments of one level: where a series changed, judged against its own noise.

Nothing is assumed of the noise but that it is alike across releases. What could be seen by chance
is learnt from *permuted histories*: the residuals of all rounds about their own release's median
are dealt out anew to all releases and rounds, and go through everything that the values went
through: joined sessions, medians, segments. Such a history has the noise and no change. About the
median, since a mean would share an outlier out to its neighbours and make it look smaller, and each
residual once, since an outlier dealt out twice could make a median of its own. Only runs that share
their random stream are dealt the same one (`ruler.streams` says why).

Residuals of a few rounds know little of the noise's size. So every statistic is studentized, that
is divided by its own history's noise, as in the bootstrap-t (Efron and Tibshirani 1993, chapter
12), and no factor for lost degrees of freedom is needed. Each quantile is the larger of two: that
of the permuted histories, which have the noise's shape, and that of histories of normal noise in
the same rounds, which are as uncertain of its size as we are.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import ruptures

from gmixbench.ruler.joining import Array, Layout, join

CONFIDENCE = 0.95
"""Level of every interval."""

FLOOR = 1e-9
"""Least noise, in logarithms or the metric's unit: what repeats to the last bit is rounded once."""

LEAST_HISTORIES = 1000
"""Permuted histories; more where a rare event has to be seen twice."""

SEED = 20180725
"""Of the permutations: the same history gives the same findings."""


@dataclass(frozen=True, eq=False)
class Centres:
    """Median over rounds of each release, shape (releases, histories), and each history's noise.

    `noise` is the mean absolute difference of a value from its release's median, over releases with
    two rounds or more; shape (histories,).
    """

    values: Array
    noise: Array

    @cached_property
    def studentized(self) -> Array:
        """Centres in units of their own history's noise."""
        return self.values / self.noise


def centres(values: Array, layout: Layout) -> Centres:
    """Centres of joined values, shape (values, histories)."""
    places = _places(layout)
    found = np.empty((len(places), values.shape[1]))
    total, count = np.zeros(values.shape[1]), 0
    for rounds in {len(own) for own in places}:
        alike = [k for k, own in enumerate(places) if len(own) == rounds]
        by_round = values[np.array([places[k] for k in alike])]
        found[alike] = np.median(by_round, axis=1)
        if rounds > 1:
            total += np.abs(by_round - found[alike][:, None]).sum(axis=(0, 1))
            count += rounds * len(alike)
    return Centres(found, np.maximum(total / max(count, 1), FLOOR))


@dataclass(frozen=True, eq=False)
class Noise:
    """What chance does to a series: histories without a change, permuted and of normal noise.

    `penalty` is the least one at which at most the wanted share of either shows a change point, in
    studentized centres; `fresh` are permuted histories that had no part in it.
    """

    permuted: Centres
    normal: Centres
    fresh: Centres
    penalty: float

    def half_width(self, contrast: Array, noise: float) -> float:
        """Half width of the interval of contrast @ centres, in a history of that noise."""
        widths = [np.abs(contrast @ null.studentized) for null in (self.permuted, self.normal)]
        return noise * float(max(np.quantile(width, CONFIDENCE) for width in widths))

    def false_alarms(self, band: float) -> float:
        """Share of fresh permuted histories in which a change is seen, none being there."""
        null, count = self.fresh, self.fresh.noise.size
        suspects = np.flatnonzero(shows_change(null.studentized, self.penalty))
        seen = [
            drop_small(null.values[:, k], segment(null.studentized[:, k], self.penalty), band)
            for k in suspects
        ]
        return sum(map(bool, seen)) / count


def noise_of(values: Array, layout: Layout, alpha: float) -> Noise | None:
    """Noise of a series; `None` where no release has two rounds, which would tell of it.

    Parameters
    ----------
    values
        Shape (values,), before sessions are joined.
    alpha
        Share of histories without a change that may show one.

    Notes
    -----
    Anchors that disagree by more than their noise tell that sessions can't be joined so well. What
    they disagree beyond noise (a moment estimate, as of DerSimonian and Laird 1986) is added to
    every permuted history as a random shift of the session, and so is in every interval.
    """
    joined, spread = join(values[:, None], layout)
    residuals = _residuals(joined[:, 0], layout)
    if residuals.size == 0:
        return None
    count = max(LEAST_HISTORIES, math.ceil(2 / alpha))
    rng = np.random.default_rng(SEED)
    pool = np.resize(residuals, layout.independent)

    def permuted() -> Centres:
        dealt = rng.permuted(np.repeat(pool[:, None], count, axis=1), axis=0)
        null, by_chance = join(layout.deal(dealt), layout)
        beyond = np.maximum(spread[:, 0] - by_chance.mean(axis=1), 0.0)
        members = np.array(layout.sessions)
        for (session, _), variance in zip(layout.anchors, beyond, strict=True):
            null[members == session] += rng.normal(0.0, np.sqrt(variance), count)
        return centres(null, layout)

    first, (normal, penalty) = permuted(), _normal(layout, count, alpha)
    penalty = max(penalty, _penalty_quantile(first.studentized, alpha))
    return Noise(first, normal, permuted(), penalty)


@lru_cache(maxsize=32)
def _normal(layout: Layout, count: int, alpha: float) -> tuple[Centres, float]:
    # The same for all series measured in the same rounds.
    dealt = np.random.default_rng(SEED).standard_normal((layout.independent, count))
    null = centres(join(layout.deal(dealt), layout)[0], layout)
    return null, _penalty_quantile(null.studentized, alpha)


def segment(studentized: Array, penalty: float) -> list[int]:
    """First releases of all segments but the first: PELT, least squares (Killick et al. 2012).

    Parameters
    ----------
    studentized
        Centres in units of noise, shape (releases,). A segment may be a single release.
    penalty
        What each change point has to reduce the sum of squares by.
    """
    if len(studentized) < 2:
        return []
    search = ruptures.Pelt(model="l2", min_size=1, jump=1)
    return [int(end) for end in search.fit_predict(studentized, penalty)[:-1]]


def drop_small(values: Array, starts: list[int], band: float) -> list[int]:
    """Starts of segments whose levels differ from their neighbours' by at least `band`.

    The smallest step is dropped first and the levels are taken anew, so that many small steps one
    way add up.
    """
    starts = list(starts)
    while starts:
        levels = [part.mean() for part in np.split(values, starts)]
        steps = np.abs(np.diff(levels))
        least = int(steps.argmin())
        if steps[least] >= band:
            break
        del starts[least]
    return starts


def shows_change(
    centres: Array, penalty: Array | float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the best segmentation of each history, shape (releases, histories), has a change."""
    return _partition(centres, penalty)[1] > 0


def critical_penalty(centres: Array, start: Array) -> Array:
    """Least penalty of each history, shape (histories,), at which no change point is left.

    That is the largest (C0 - Cm) / m, with Cm the least sum of squares with m change points, found
    by Dinkelbach's iteration (1967) from below: at a penalty take the best segmentation, then the
    penalty at which it would be no better than none; where none is better, that was it.

    Parameters
    ----------
    start
        A penalty not above the one looked for.
    """
    penalty = np.array(start)
    active = np.arange(penalty.size)
    while active.size:
        gain, count = _partition(centres[:, active], penalty[active])
        better = count > 0
        active, gain, count = active[better], gain[better], count[better]
        raised = np.maximum(gain / count, penalty[active])
        stands = raised <= penalty[active] * (1 + 1e-12)
        penalty[active] = raised
        active = active[~stands]
    return penalty


def _penalty_quantile(centres: Array, alpha: float) -> float:
    # Only the largest ones have to be exact, so most histories are settled in a single pass.
    histories = centres.shape[1]
    rank = max(int(alpha * (histories + 1)), 1)
    lower = _simple_penalty(centres)
    guess = np.partition(lower, -rank)[-rank]
    beyond = shows_change(centres, guess)
    if np.count_nonzero(beyond) < rank:
        return float(guess)
    start = np.maximum(lower[beyond], guess)
    exact = critical_penalty(centres[:, beyond], start)
    return float(np.partition(exact, -rank)[-rank])


def _simple_penalty(centres: Array) -> Array:
    # The best of one change point, or of two about a single release: never above the exact one.
    releases = len(centres)
    if releases < 2:
        return np.zeros(centres.shape[1])
    deviations = centres - centres.mean(axis=0)
    left = np.arange(1, releases)[:, None]
    once = np.cumsum(deviations, axis=0)[:-1] ** 2 * releases / (left * (releases - left))
    alone = deviations**2 * releases / (releases - 1) / 2
    best: Array = np.maximum(once.max(axis=0), alone.max(axis=0))
    return best


def _partition(
    centres: Array, penalty: Array | float
) -> tuple[Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Best segmentation of every history at once, by dynamic programming (Jackson et al. 2005).

    Returns the reduction of the sum of squares and the number of change points, each of shape
    (histories,).
    """
    releases, histories = centres.shape
    sums = np.zeros((releases + 1, histories))
    np.cumsum(centres - centres.mean(axis=0), axis=0, out=sums[1:])
    best = np.zeros((releases + 1, histories))
    counts = np.zeros((releases + 1, histories), dtype=np.int64)
    every = np.arange(histories)
    for end in range(1, releases + 1):
        gains = (sums[end] - sums[:end]) ** 2
        gains /= np.arange(end, 0, -1)[:, None]
        gains += best[:end]
        gains[1:] -= penalty
        last = gains.argmax(axis=0)
        best[end] = gains[last, every]
        counts[end] = counts[last, every] + (last > 0)
    return best[-1] + penalty * counts[-1], counts[-1]


def _places(layout: Layout) -> list[list[int]]:
    places: list[list[int]] = [[] for _ in range(max(layout.releases, default=-1) + 1)]
    for place, release in enumerate(layout.releases):
        places[release].append(place)
    return places


def _residuals(values: Array, layout: Layout) -> Array:
    own = layout.noises or range(len(layout.releases))
    found: dict[int, float] = {}
    for places in _places(layout):
        if len(places) > 1:
            middle = np.median(values[places])
            for place in places:
                found.setdefault(own[place], float(values[place] - middle))
    return np.array([*found.values()])

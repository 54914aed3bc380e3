"""Two sides of one metric: how far apart they are, and what may be said of it.

Three replicates a side and more speak for themselves: a t interval of the mean difference, paired
where the replicates are, else Welch's. Fewer are held against a stated noise of a single run.

A change is *regressed* or *improved* where two things hold. Chance alone would not show it in so
many comparisons: Holm's step-down over all one-sided p values of no change at all. And it matters:
the one-sided 95 % bound lies beyond the band. *Equivalent* needs the whole 90 % interval within
the band (two one-sided tests, Schuirmann 1987). What is neither is *inconclusive*.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

Verdict = Literal["improved", "equivalent", "regressed", "inconclusive"]

CONFIDENCE = 0.90
"""Of the two-sided interval, so 95 % of each bound."""

LEAST = 3
"""Replicates a side from which their own spread is used."""

NOISE_FREEDOM = 20
"""Degrees of freedom of a noise that was measured beforehand: some twenty releases, two rounds."""


@dataclass(frozen=True)
class Effect:
    """How much larger the new side is, with its interval: a log ratio or a difference.

    `p_value` is one-sided, of no change, in the direction of the estimate. `source` says in words
    where the interval comes from.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    source: str


def paired(
    base: Mapping[str, float], new: Mapping[str, float], noise: float, unit: str = "runs"
) -> Effect:
    """Effect between two sides whose replicates of one name have something in common.

    Parameters
    ----------
    base, new : replicates of the same names, on the scale where sides differ by a shift
    noise : standard deviation of one replicate, for where there are fewer than `LEAST` a side
    unit : what a replicate is, for the words
    """
    if len(base) < LEAST:
        return apart(base, new, noise, unit)
    differences = np.array([new[name] - base[name] for name in base])
    spread = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    told = f"{len(differences)} pairs of {unit}"
    return _effect(float(differences.mean()), spread, len(differences) - 1, told)


def apart(
    base: Mapping[str, float], new: Mapping[str, float], noise: float, unit: str = "runs"
) -> Effect:
    """Effect between two sides whose replicates have nothing in common; see `paired`."""
    a, b = np.array([*base.values()]), np.array([*new.values()])
    estimate = float(b.mean() - a.mean())
    told = f"{len(a)} and {len(b)} {unit}"
    if min(len(a), len(b)) < LEAST:
        spread = noise * math.sqrt(1 / len(a) + 1 / len(b))
        return _effect(estimate, spread, NOISE_FREEDOM, f"{told}, assumed noise {noise:.2g}")
    parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
    lengths = np.array([len(a) - 1, len(b) - 1])
    spread = math.sqrt(parts.sum())
    freedom = float(parts.sum() ** 2 / (parts**2 / lengths).sum()) if spread else math.inf
    return _effect(estimate, spread, freedom, told)


def _effect(estimate: float, spread: float, freedom: float, source: str) -> Effect:
    if spread == 0.0:
        return Effect(estimate, estimate, estimate, float(estimate == 0.0), source)
    half = spread * float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
    p_value = float(stdtr(freedom, -abs(estimate) / spread))
    return Effect(estimate, estimate - half, estimate + half, p_value, source)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for their number by Holm's step-down (1979), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def verdict(
    worse: tuple[float, float], band: float, *, significant: bool, crossed: bool = False
) -> Verdict:
    """What may be said of a change.

    Parameters
    ----------
    worse : interval of how much worse the new side is; negative where it is better
    band : how much does not matter, on the same scale
    significant : whether chance is excluded
    crossed : whether the new side is beyond a limit that the old one keeps: then any is too much
    """
    low, high = worse
    if significant and (low > band or (crossed and low > 0)):
        return "regressed"
    if significant and high < -band:
        return "improved"
    if -band <= low and high <= band and not crossed:
        return "equivalent"
    return "inconclusive"

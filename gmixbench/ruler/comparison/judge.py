"""What may be said of a comparison: right or wrong first, then each metric, look by look."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from scipy.stats import norm

from gmixbench.ruler.compare import Verdict, holm, verdict
from gmixbench.ruler.comparison.looks import following, looks, share
from gmixbench.ruler.comparison.nouns import (
    Comparison,
    Finding,
    Interval,
    Outcome,
    Reading,
    Trust,
)
from gmixbench.ruler.comparison.pooled import pooled
from gmixbench.ruler.comparison.signed_rank import interval, p_above, walsh_averages
from gmixbench.ruler.tolerances import TOLERANCES, Tolerance
from gmixbench.ruler.verdict import FAMILYWISE, limit

COMPARED = {
    "nuts": (
        "seconds_per_gradient",
        "ess_per_gradient",
        "ess_per_second",
        "draws_per_second",
        "warmup_s",
        "compile_s",
        "time_to_ess_1000",
        "import_s",
        "peak_memory",
    ),
    "advi": ("steps_per_second", "gap", "compile_s", "import_s", "peak_memory"),
}
"""Metrics that are judged, by kind of method, the telling ones first."""

REPEATED = 3
"""Blocks from which equal values are known to be no chance."""

DIGITS = 1e-12
"""Relative difference up to which two values are equal: what another order of sums does."""

FARTHEST = 1000
"""Blocks beyond which no answer is in sight."""


@dataclass(frozen=True)
class Differences:
    """One metric of one task between two variants, in the blocks where both tell it.

    `blocks` are the places of these blocks among all, shape (n,); `values` has shape (n, 2), old
    and new; `differences` shape (n,).
    """

    pair: tuple[int, int]
    task: int
    tolerance: Tolerance
    band: float
    blocks: np.ndarray
    values: np.ndarray

    @property
    def differences(self) -> np.ndarray:
        """New less old, of logarithms for a ratio."""
        scaled = np.log(self.values) if self.tolerance.scale == "ratio" else self.values
        return np.asarray(scaled[:, 1] - scaled[:, 0])

    @property
    def width(self) -> float:
        """The band on that scale."""
        return math.log1p(self.band) if self.tolerance.scale == "ratio" else self.band

    @property
    def repeats(self) -> bool:
        """Whether both sides agree in each block."""
        old, new = self.values.T
        return len(old) >= REPEATED and bool(
            np.all(np.abs(new - old) <= DIGITS * np.maximum(np.abs(old), np.abs(new)))
        )

    @property
    def asked(self) -> bool:
        """Whether there must be an answer."""
        return self.tolerance.asked and self.tolerance.metric != "compile_s"

    def first(self, blocks: int) -> "Differences":
        """Those of the first blocks."""
        within = self.blocks < blocks
        return replace(self, blocks=self.blocks[within], values=self.values[within])


def judge(comparison: Comparison) -> Outcome:
    """Judge a comparison by its whole blocks.

    Parameters
    ----------
    comparison : with readings of any number of blocks; one that is begun does not count
    """
    readings = whole_blocks(comparison)
    blocks = len({each.block for each in readings})
    seen = looks(blocks)
    measured = [*paired(comparison, readings)]
    trusts = tuple(
        _trust(comparison, variant, task, len(seen))
        for variant in range(len(comparison.variants))
        for task in range(len(comparison.tasks))
    )
    wrong = {(each.variant, each.task) for each in trusts if not each.valid}
    findings = tuple(
        each
        for each in _findings(comparison, measured, blocks)
        if not wrong & {(side, each.task) for side in each.pair}  # no speed without truth
    )
    same = tuple(
        (pair, task)
        for pair in comparison.pairs
        for task in range(len(comparison.tasks))
        if _same_draws(readings, pair, task)
    )
    return Outcome(comparison, blocks, len(seen), findings, trusts, same)


def whole_blocks(comparison: Comparison) -> list[Reading]:
    """Readings of the blocks in which every variant has every task."""
    wanted = len(comparison.variants) * len(comparison.tasks)
    ordered = sorted(comparison.readings, key=lambda each: each.block)
    blocks = [[*rows] for _, rows in groupby(ordered, key=lambda each: each.block)]
    return [row for rows in blocks if len(rows) == wanted for row in rows]


def paired(comparison: Comparison, readings: Sequence[Reading]) -> Iterator[Differences]:
    """Every metric of every task between the variants of every pair, where both tell it."""
    table = {(each.block, each.variant, each.task): each for each in readings}
    blocks = sorted({each.block for each in readings})
    for pair in comparison.pairs:
        for k, task in enumerate(comparison.tasks):
            for metric in COMPARED["nuts" if task.method == "nuts" else "advi"]:
                tolerance = TOLERANCES[metric]
                rows = {
                    place: [table[block, side, k].metrics.get(metric) for side in pair]
                    for place, block in enumerate(blocks)
                }
                told = {
                    place: values
                    for place, values in rows.items()
                    if all(_usable(tolerance, value) for value in values)
                }
                values = np.array([*told.values()], dtype=float)
                if not told or values.max() <= tolerance.negligible:
                    continue
                band = comparison.band if tolerance.machine else tolerance.band
                yield Differences(pair, k, tolerance, band, np.array([*told]), values)


def _usable(tolerance: Tolerance, value: float | None) -> bool:
    return value is not None and math.isfinite(value) and (tolerance.scale != "ratio" or value > 0)


def _findings(
    comparison: Comparison, measured: Sequence[Differences], blocks: int
) -> Iterator[Finding]:
    """What each look decides, which stays.

    Holm's step-down runs over the metrics that must have an answer, and over the others, each with
    half of the look's error.
    """
    said: dict[int, tuple[Verdict, Differences, float]] = {}
    level: dict[int, float] = {}
    for look, seen in enumerate(looks(blocks)):
        alpha = comparison.alpha * share(look) / 2
        for asked in (True, False):
            family = [
                k for k, each in enumerate(measured) if each.asked == asked and not each.repeats
            ]
            parts = {k: measured[k].first(seen) for k in family}
            p_values = [_p_value(parts[k]) for k in family]
            order = sorted(range(len(family)), key=p_values.__getitem__)
            adjusted = holm(p_values)
            for rank, place in enumerate(order):
                k = family[place]
                level[k] = alpha / (len(family) - rank) / 2
                if k not in said and adjusted[place] <= alpha:
                    said[k] = _read(parts[k], level[k]), parts[k], level[k]
    for k, each in enumerate(measured):
        if each.repeats:
            yield _certain(each)
        elif k in said:
            word, part, own = said[k]
            yield _finding(part, word, own)
        elif k in level:
            part = each.first(looks(blocks)[-1])
            yield _finding(part, "inconclusive", level[k], _more(part, level[k], blocks))
        else:
            yield _early(each, blocks)


def _p_value(each: Differences) -> float:
    """Two-sided level down to which the interval has an answer."""
    d, band = each.differences, each.width
    inside = max(p_above(d, -band), p_above(-d, -band))
    return min(1.0, 2 * min(p_above(d, band), p_above(-d, band), inside))


def _read(each: Differences, level: float) -> Verdict:
    found = interval(each.differences, level)
    low, high = sorted(each.tolerance.sign * bound for bound in (found.low, found.high))
    return verdict((low, high), each.width, significant=True)


def _finding(each: Differences, word: Verdict, level: float, more: int | None = None) -> Finding:
    found = interval(each.differences, level)
    return _told(each, word, found, len(each.values), more)


def _certain(each: Differences) -> Finding:
    found = _told(each, "equivalent", Interval(0.0, 0.0, 0.0), len(each.values), None)
    return replace(found, repeats=True)


def _early(each: Differences, blocks: int) -> Finding:
    estimate = float(np.median(walsh_averages(each.differences)))
    open_ended = Interval(estimate, -math.inf, math.inf)
    found = _told(each, "inconclusive", open_ended, len(each.values), None)
    return replace(found, blocks=0, more=following(blocks) - blocks)


def _told(
    each: Differences, word: Verdict, found: Interval, blocks: int, more: int | None
) -> Finding:
    ratio = each.tolerance.scale == "ratio"
    read = _exp if ratio else float
    return Finding(
        pair=each.pair,
        task=each.task,
        metric=each.tolerance.metric,
        verdict=word,
        old=float(np.median(each.values[:, 0])),
        new=float(np.median(each.values[:, 1])),
        change=Interval(read(found.estimate), read(found.low), read(found.high)),
        band=each.band,
        blocks=blocks,
        more=more,
    )


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf  # beyond, a float has no room


def _more(each: Differences, level: float, blocks: int) -> int | None:
    """Blocks beyond `blocks` after which there is an answer, if the noise stays as it is."""
    found = interval(each.differences, level)
    distance = abs(abs(found.estimate) - each.width)
    half = (found.high - found.low) / 2
    now = len(looks(blocks)) - 1
    if not math.isfinite(half):
        return following(blocks) - blocks
    if distance == 0:
        return None
    for look, seen in enumerate(looks(FARTHEST)):
        if look <= now:
            continue
        later = level * share(look) / share(now)
        wider = float(norm.isf(later) / norm.isf(level))
        if half * wider * math.sqrt(looks(blocks)[-1] / seen) < distance:
            return seen - blocks
    return None


def _trust(comparison: Comparison, variant: int, task: int, seen: int) -> Trust:
    rows = [each for each in comparison.readings if (each.variant, each.task) == (variant, task)]
    if not rows:
        return Trust(variant, task, ("not measured",))
    faults = [fault for each in rows for fault in (*each.faults, each.failure) if fault]
    reasons = [f"{len(faults)} of {len(rows)} processes: {faults[0]}"] if faults else []
    checked = [each for each in rows if each.checks and each.ess]
    if not checked:
        return Trust(variant, task, tuple(reasons))
    worst = max(pooled(checked), key=lambda check: check.z)
    # The error of all looks: judged at each of them, and after the last.
    allowed = limit(
        len(checked[0].checks),
        math.fsum(each.ess or 0.0 for each in checked),
        FAMILYWISE * share(seen),
    )
    if not worst.z <= allowed:
        reasons.append(
            f"{worst.name} is {worst.z:.1f} standard errors from the exact one, {allowed:.1f} pass"
        )
    return Trust(variant, task, tuple(reasons), worst.z, allowed, worst.name)


def _same_draws(readings: Sequence[Reading], pair: tuple[int, int], task: int) -> bool:
    draws: dict[int, list[str]] = {}
    for each in readings:
        if each.task == task and each.variant in pair:
            draws.setdefault(each.block, []).append(each.draws)
    return bool(draws) and all(both[0] and both[0] == both[-1] for both in draws.values())

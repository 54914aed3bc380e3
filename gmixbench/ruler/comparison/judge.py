"""What may be said of a comparison: right or wrong first, then each metric, look by look."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from gmixbench.ruler.compare import Verdict, verdict
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.ruler.comparison.looks import following, looks, share
from gmixbench.ruler.comparison.nouns import (
    Comparison,
    Finding,
    Interval,
    Outcome,
    Reading,
)
from gmixbench.ruler.comparison.signed_rank import estimate, interval, p_above
from gmixbench.ruler.comparison.trust import trusts
from gmixbench.ruler.tolerances import TOLERANCES, Tolerance

REPEATED = 3
"""Blocks from which equal values are known to be no chance."""

DIGITS = 1e-12
"""Relative difference up to which two values are equal: what another order of sums does."""

MIRRORED = 1e-9
"""Difference of logarithms up to which two metrics tell one change."""

FARTHEST = 1000
"""Blocks beyond which no answer is in sight."""


@dataclass(frozen=True)
class Differences:
    """One metric of one task between two variants, in the blocks where both tell it.

    `values` has shape (n, 2), old and new; `differences` shape (n,). `factor` tells whether it
    explains the others, `asked` whether there must be an answer.
    """

    pair: tuple[int, int]
    task: int
    tolerance: Tolerance
    band: float
    values: np.ndarray
    factor: bool
    asked: bool

    @property
    def differences(self) -> np.ndarray:
        """New less old, of logarithms for a ratio."""
        scaled = np.log(self.values) if self.tolerance.scale == "ratio" else self.values
        return np.asarray(scaled[:, 1] - scaled[:, 0])

    @property
    def worse(self) -> np.ndarray:
        """The differences, turned so that more is worse."""
        return self.tolerance.sign * self.differences

    def mirrors(self, other: "Differences") -> bool:
        """Whether it tells the change of another metric again, block by block.

        Where two sides draw the same, ESS per second is ESS per gradient evaluation, which repeats,
        over seconds per gradient evaluation: two names of one change.
        """
        same = (self.pair, self.task, self.width) == (other.pair, other.task, other.width)
        return (
            same
            and self.tolerance.scale == other.tolerance.scale == "ratio"
            and len(self.values) == len(other.values)
            and bool(np.all(np.abs(self.worse - other.worse) <= MIRRORED))
        )

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

    def first(self, blocks: int) -> "Differences":
        """Those of the first blocks."""
        return replace(self, values=self.values[:blocks])


def judge(comparison: Comparison) -> Outcome:
    """Judge a comparison by its whole blocks.

    Parameters
    ----------
    comparison : with readings of any number of blocks; one that is begun does not count
    """
    readings = comparison.whole_blocks
    blocks = len({each.block for each in readings})
    measured = [*_differences(comparison, readings)]
    believed = trusts(comparison)
    wrong = {(each.variant, each.task) for each in believed if not each.valid}
    told = [
        each
        for each in _findings(comparison, measured, blocks)
        if not wrong & {(side, each.task) for side in each.pair}  # no speed without truth
    ]
    asked = [(each.pair, each.task, each.tolerance.metric) for each in measured]
    told.sort(key=lambda each: asked.index((each.pair, each.task, each.metric)))
    same = tuple(
        (pair, task)
        for pair in _told_apart(comparison)
        for task in range(len(comparison.tasks))
        if _same_draws(readings, pair, task)
    )
    return Outcome(comparison, blocks, len(looks(blocks)), tuple(told), believed, same)


def _told_apart(comparison: Comparison) -> list[tuple[int, int]]:
    """Pairs of which neither variant was dropped."""
    return [pair for pair in comparison.pairs if comparison.dropped.isdisjoint(pair)]


def _differences(comparison: Comparison, readings: Sequence[Reading]) -> Iterator[Differences]:
    table = {(each.block, each.variant, each.task): each for each in readings}
    blocks = sorted({each.block for each in readings})
    for pair in _told_apart(comparison):
        for k, task in enumerate(comparison.tasks):
            found: dict[str, np.ndarray] = {}
            for metric in COMPARED["nuts" if task.method == "nuts" else "advi"]:
                tolerance = TOLERANCES[metric]
                rows = [
                    [table[block, side, k].metrics.get(metric) for side in pair] for block in blocks
                ]
                told = [row for row in rows if all(usable(tolerance, value) for value in row)]
                values = np.array(told, dtype=float)
                if told and values.max() > tolerance.negligible:
                    found[metric] = values
            factors = _factors(found)
            asked = comparison.metrics or factors
            for metric, values in found.items():
                band, factor = comparison.band_of(metric), metric in factors
                tolerance = TOLERANCES[metric]
                yield Differences(pair, k, tolerance, band, values, factor, metric in asked)


def _factors(told: Collection[str]) -> set[str]:
    """Metrics that explain the others, and must have an answer where none is named.

    Where a library tells no gradients there are none: then it is how fast it draws. Compilation
    explains itself alone, and few blocks tell it.
    """
    factors = {metric for metric in told if TOLERANCES[metric].asked and metric != "compile_s"}
    return factors or {"draws_per_second"} & {*told}


def usable(tolerance: Tolerance, value: float | None) -> bool:
    """Whether a value can stand on the scale on which sides are compared."""
    return value is not None and math.isfinite(value) and (tolerance.scale != "ratio" or value > 0)


@dataclass(frozen=True)
class Look:
    """What a look at one metric shows: its number, the blocks seen, and what they are evidence of.

    `p_value` is two-sided, divided by the look's share of the error: however often one looks, it
    is as rarely small as it says ("always valid": Johari et al. 2022).
    """

    number: int
    seen: Differences
    p_value: float


def _findings(
    comparison: Comparison, measured: Sequence[Differences], blocks: int
) -> Iterator[Finding]:
    """Findings by Holm's step-down over the metrics that explain the others, and these.

    Each of the two has half of the error, whatever must have an answer: that may be named once
    blocks are seen. A metric has its own looks: not every block tells it. What tells again what
    explains it has that answer, and no share of the error: it is one hypothesis under two names.
    """
    yield from map(_certain, (each for each in measured if each.repeats))
    chancy = [each for each in measured if not each.repeats]
    again = [*_again(chancy)]
    for found in _by_chance(comparison, _without(chancy, again), blocks):
        yield found
        for each, carrier in again:
            if (carrier.pair, carrier.task, carrier.tolerance.metric) == (
                found.pair,
                found.task,
                found.metric,
            ):
                yield _mirrored(each, carrier, found)


def _again(chancy: Sequence[Differences]) -> Iterator[tuple[Differences, Differences]]:
    """Metrics that mirror one that explains the others, each with that one."""
    for each in chancy:
        for carrier in chancy:
            if carrier.factor and not each.factor and each.mirrors(carrier):
                yield each, carrier
                break


def _without(
    chancy: Sequence[Differences], again: Sequence[tuple[Differences, Differences]]
) -> list[Differences]:
    mirrors = [id(each) for each, _ in again]
    return [each for each in chancy if id(each) not in mirrors]


def _mirrored(each: Differences, carrier: Differences, found: Finding) -> Finding:
    change = found.change
    if each.tolerance.sign != carrier.tolerance.sign:
        change = Interval(*map(_inverse, (change.estimate, change.high, change.low)))
    old, new = (float(np.median(values)) for values in each.values.T)
    return replace(
        found, metric=each.tolerance.metric, old=old, new=new, change=change, asked=each.asked
    )


def _inverse(ratio: float) -> float:
    return math.inf if ratio == 0 else 1 / ratio


def _by_chance(
    comparison: Comparison, chancy: Sequence[Differences], blocks: int
) -> Iterator[Finding]:
    seen = [(each, [*_looks(each)]) for each in chancy]
    yield from (_early(each, blocks) for each, its in seen if not its)
    for factor in (True, False):
        alpha = comparison.alpha / 2
        family = [(each, its) for each, its in seen if each.factor == factor]
        count = len(family)
        tried = [(each, its) for each, its in family if its]
        tried.sort(key=lambda item: min(look.p_value for look in item[1]))
        own, going = alpha, True
        for rank, (each, its) in enumerate(tried):
            if going:
                own = holm_level(alpha, count, rank)  # where it stops, all that follow have it too
            deciding = [look for look in its if look.p_value <= own]
            going = going and bool(deciding)
            if going:
                look = deciding[-1]  # the last one knows most
                level = own * share(look.number) / 2
                found = _finding(look.seen, _read(look.seen, level), level)
                yield found if look is its[-1] else replace(found, remark=_open_again(look, its))
            else:
                level = own * share(its[-1].number) / 2
                more = _more(its[-1], level, blocks / len(each.values))
                yield _finding(its[-1].seen, "inconclusive", level, more)


def _open_again(look: Look, its: Sequence[Look]) -> str:
    first, all_of_them = (len(each.seen.values) for each in (look, its[-1]))
    return f"decided by the first {first} blocks that tell it, open again by {all_of_them}"


def _looks(each: Differences) -> Iterator[Look]:
    for number, seen in enumerate(looks(len(each.values))):
        part = each.first(seen)
        yield Look(number, part, min(1.0, _p_value(part) / share(number)))


def holm_level(alpha: float, count: int, rank: int) -> float:
    """Level of the p-value of that rank among so many (Holm 1979); the first that fails ends it.

    The same as comparing `compare.holm`'s adjusted p-values with alpha, and it gives an interval.

    A metric by itself is wrong no more often than alpha, whatever the others do. That any is wrong
    no more often than alpha Holm proves of nulls; here each metric has three verdicts, and may have
    a wrong one after a right one gave it a larger level. Of two directions it is proved where the
    metrics are independent and their noise is such as the normal's (Shaffer 1980; Finner 1999). Of
    three verdicts and of metrics that depend on each other, as these do, a test simulates it.
    """
    return alpha / (count - rank)


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
    open_ended = Interval(estimate(each.differences), -math.inf, math.inf)
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
        asked=each.asked,
        more=more,
    )


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf  # beyond, a float has no room


def _more(last: Look, level: float, blocks_each: float) -> int | None:
    """Blocks beyond the last look after which there is an answer, if the noise stays as it is.

    Parameters
    ----------
    level : of the last look's interval
    blocks_each : blocks that it takes to tell the metric once
    """
    found = interval(last.seen.differences, level)
    count = len(last.seen.values)
    distance = abs(abs(found.estimate) - last.seen.width)
    half = (found.high - found.low) / 2
    for number, seen in enumerate(looks(FARTHEST)):
        if number <= last.number:
            continue
        if not math.isfinite(half):  # nothing is known of the noise: the next look may tell
            return math.ceil((seen - count) * blocks_each)
        later = level * share(number) / share(last.number)
        wider = float(ndtri(later) / ndtri(level))
        if half * wider * math.sqrt(count / seen) < distance:
            return math.ceil((seen - count) * blocks_each)
    return None


def _same_draws(readings: Sequence[Reading], pair: tuple[int, int], task: int) -> bool:
    draws: dict[int, list[str]] = {}
    for each in readings:
        if each.task == task and each.variant in pair:
            draws.setdefault(each.block, []).append(each.draws)
    return bool(draws) and all(both[0] and both[0] == both[-1] for both in draws.values())

"""Metrics of one case on two sides: each measured, and all of a comparison judged together.

How often that errs, `benchmarks/gate_power.py` has simulated (2026-11-25, 1,000 gates each), with 7
rounds of two models and two methods, 5 % noise by the clock, and no random stream shared. Drawn
from 120 seeds of PyMC 6.4.0, or of NumPyro 0.22.0, whose ESS per gradient on `ordered` differs by
17 % and 13 % from seed to seed: two equal sides were fine in 98 %, and a regression in 0.9 %; NUTS
of one model slowed by 15 % was found in 88 % and passed in 1.2 %, of both models found in 98 % and
never passed; half the ESS was found in 99.9 % and never passed, two thirds of it passed in 6.5 %.
At 3 % noise of the clock every slowdown was found, and 10 % are too much: 15 % of equal sides were
fine, and 82 % had no answer.

The worst there is are the six runs that the project's history has of PyMC on `ordered`: they differ
by 42 %. Equal sides were fine in 87 %, and half the ESS passed in 3.9 %. Means of seven can't do
both much better: at 95 % fine, 8 % would pass though the spread were known. Trimmed means, tried
for the far tails, do worse.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gmixbench.ruler.compare import Effect, Verdict, apart, holm, paired, verdict
from gmixbench.ruler.sides import Key, Replicate
from gmixbench.ruler.tolerances import TOLERANCES, Tolerance

ALPHA = {True: 0.04, False: 0.01}
"""Probability that a comparison of two equal sides calls anything regressed, at the most: in any of
the metrics that must be answered for, and in any of the others.

The first explain the rest, and are few: they get the larger share, so that they are not drowned by
the many that follow from them.
"""

REPEATS = 1e-3
"""Share of the band up to which two runs of one seed are the same: what rounding does, where the
random stream is the same (see `ruler.streams`)."""

Values = Sequence[tuple[Replicate, float]]
"""Of each replicate that tells a metric, its value."""


@dataclass(frozen=True)
class Contrast:
    """Two sides of one metric on its working scale, not judged yet."""

    key: Key
    tolerance: Tolerance
    baseline: float
    new: float
    effect: Effect
    replicates: int

    @property
    def certain(self) -> bool:
        """Whether chance has no part in it."""
        return self.effect.low == self.effect.high

    @property
    def crossed(self) -> bool:
        """Whether the new side is beyond a limit that the baseline keeps."""
        limit, sign = self.tolerance.limit, self.tolerance.sign
        if limit is None:
            return False
        before, after = self.read(self.baseline), self.read(self.new)
        return sign * before <= sign * limit < sign * after

    def read(self, value: float) -> float:
        """A value of the working scale as it is told."""
        return math.exp(value) if self.tolerance.scale == "ratio" else value


@dataclass(frozen=True)
class Judgement:
    """What is said of one metric of one case.

    `baseline` and `new` are the mean of the replicates, for ratios the geometric one. `change` is
    the effect as it is read, with its 90 % interval: new / old for a ratio, new - old for a
    difference. `source` says where the interval comes from. `worrying` tells that it is neither
    said to be worse nor known to be so by less than the `reach` of its tolerance. `replicates` are
    those of the side that has fewer. `paid` tells that what is worse here is outweighed (see
    `ruler.gate`).
    """

    key: Key
    metric: str
    verdict: Verdict
    baseline: float
    new: float
    change: tuple[float, float, float]
    source: str
    worrying: bool = False
    remark: str = ""
    replicates: int = 1
    paid: bool = False

    @property
    def asked(self) -> bool:
        """Whether there must be an answer here."""
        return TOLERANCES[self.metric].asked


def values(metric: str, replicates: Iterable[Replicate]) -> Values:
    """Values of a metric, of the replicates that tell it."""
    found = ((one, one.metrics.get(metric)) for one in replicates)
    return [(one, value) for one, value in found if value is not None and math.isfinite(value)]


def contrast(
    key: Key, tolerance: Tolerance, old: Values, new: Values, left: Iterable[Replicate] = ()
) -> Contrast:
    """Measure how far apart two sides are; values of a ratio are positive.

    Runs of one name share the state of the machine, so they are pairs. Seeds of one number are, if
    the sides draw the same random stream; else they are as far apart as any. Where most have a
    partner, those of the baseline that have none stay out. Those of the new side do if theirs was
    `left` out; where it never was, all count, and there are no pairs.
    """
    a, b = _replicates(tolerance, old), _replicates(tolerance, new)
    partners = [name for name in a if name in b]
    repeats = [name for name in partners if abs(b[name] - a[name]) <= REPEATS * tolerance.width]
    known = a.keys() | {_name(tolerance, one) for one in left}
    related = (
        bool(tolerance.machine or repeats)
        and 2 * len(partners) > max(len(a), len(b))
        and b.keys() <= known
    )
    if related:
        a, b = ({name: side[name] for name in partners} for side in (a, b))
    unit = "runs" if tolerance.machine else "seeds"
    if not tolerance.machine and len(repeats) == len(a) == len(b):
        found = Effect(0.0, 0.0, 0.0, 1.0, "repeats, seed by seed")
    else:
        found = (paired if related else apart)(a, b, tolerance.noise, unit)
    return Contrast(key, tolerance, _mean(a), _mean(b), found, min(len(a), len(b)))


def judgements(contrasts: Sequence[Contrast]) -> list[Judgement]:
    """Judge contrasts, knowing how many there are."""
    adjusted = dict[int, float]()
    for asked in (True, False):
        family = [
            k for k, one in enumerate(contrasts) if one.tolerance.asked == asked and not one.certain
        ]
        p_values = holm([contrasts[k].effect.p_value for k in family])
        adjusted.update(zip(family, p_values, strict=True))
    return [
        _judgement(
            one,
            significant=one.effect.estimate != 0
            if one.certain
            else adjusted[k] < ALPHA[one.tolerance.asked],
        )
        for k, one in enumerate(contrasts)
    ]


def _judgement(one: Contrast, *, significant: bool) -> Judgement:
    low, high = sorted(one.tolerance.sign * end for end in (one.effect.low, one.effect.high))
    said = verdict((low, high), one.tolerance.width, significant=significant, crossed=one.crossed)
    remark = ""
    suspect = low > one.tolerance.width or one.crossed
    if one.crossed:
        remark = f"beyond its limit of {one.tolerance.limit:g}"
    elif said == "inconclusive" and suspect:
        remark = "worse by itself, but so many comparisons show as much by chance"
    effect = one.effect
    return Judgement(
        key=one.key,
        metric=one.tolerance.metric,
        verdict=said,
        baseline=one.read(one.baseline),
        new=one.read(one.new),
        change=(one.read(effect.estimate), one.read(effect.low), one.read(effect.high)),
        source=effect.source,
        worrying=said == "inconclusive" and (suspect or high > one.tolerance.farthest),
        remark=remark,
        replicates=one.replicates,
    )


def _replicates(tolerance: Tolerance, values: Values) -> dict[str, float]:
    """Means by replicate, on the working scale."""
    found = dict[str, list[float]]()
    for one, value in values:
        number = math.log(value) if tolerance.scale == "ratio" else value
        found.setdefault(_name(tolerance, one), []).append(number)
    return {name: math.fsum(some) / len(some) for name, some in found.items()}


def _name(tolerance: Tolerance, one: Replicate) -> str:
    return one.run if tolerance.machine else str(one.seed)


def _mean(replicates: dict[str, float]) -> float:
    return math.fsum(replicates.values()) / len(replicates)

"""Samplers side by side: what each takes over repeated fresh processes, the fastest first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t

from gmixbench.record import Failure
from gmixbench.ruler.names import names
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import Case, Mixture

CONFIDENCE = 0.95

LIMIT = "exact"
"""The backend that no sampler can pass: it draws independently, and computes no gradient."""

ORDER = "ess_per_second"
"""Metric by which rows are ranked."""

RANKED = (
    "ess_per_second",
    "time_to_ess_1000",
    "ess_per_gradient",
    "seconds_per_gradient",
    "compile_s",
    "warmup_s",
)
"""Metrics that a row is told by."""

BARE = "gradient_s"
"""Metric that tells the pace of a gradient evaluation without a sampler around it."""


@dataclass(frozen=True)
class Estimate:
    """Geometric mean of a metric over processes, and its interval; infinitely wide for one."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A sampler that is right in every process.

    `name` tells its backend and what else differs from the others. `estimates` are by metric; one
    that some process does not tell is left out.
    """

    name: str
    backend: str
    processes: int
    estimates: dict[str, Estimate]


@dataclass(frozen=True)
class Left:
    """What has no rank, and why: it was invalid, or could not be measured."""

    name: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Rows, the fastest first, and what is none."""

    rows: tuple[Row, ...]
    left: tuple[Left, ...]

    @property
    def limits(self) -> tuple[Row, ...]:
        """Rows of what no sampler can pass."""
        return tuple(row for row in self.rows if row.backend == LIMIT)

    @property
    def samplers(self) -> tuple[Row, ...]:
        """All other rows."""
        return tuple(row for row in self.rows if row.backend != LIMIT)

    @property
    def bare(self) -> Row | None:
        """Row that tells the fastest bare gradient."""
        told = [row for row in self.rows if BARE in row.estimates]
        return min(told, key=lambda row: row.estimates[BARE].middle, default=None)


def rank(results: Sequence[Judged], failures: Iterable[Failure] = ()) -> Ranking:
    """Rank the samplers in NUTS runs of one model on one data set.

    A row is a backend with its likelihood, in one stack and by one choice of settings.

    Parameters
    ----------
    results : one or more of each row, with other seeds
    failures : of the same model and data set
    """
    reasons: dict[Case, list[str]] = {}
    for failure in failures:
        told = f"{failure.kind}: {failure.message}"
        reasons.setdefault(replace(failure.case, seed=0), []).append(told)
    groups: dict[Case, list[Judged]] = {}
    for judged in results:
        case = replace(judged.run.case, seed=0)
        groups.setdefault(case, []).append(judged)
        if not judged.verdict.valid:
            told = f"invalid: {'; '.join(judged.verdict.reasons)}"
            reasons.setdefault(case, []).append(told)
    cases = list(dict.fromkeys([*reasons, *groups]))
    named = dict(zip(cases, names(cases), strict=True))
    rows = [_row(named[case], group) for case, group in groups.items() if case not in reasons]
    rows.sort(key=lambda row: -row.estimates[ORDER].middle if ORDER in row.estimates else math.inf)
    left = tuple(Left(named[case], _first(told)) for case, told in reasons.items())
    return Ranking(tuple(rows), left)


def _first(reasons: Sequence[str]) -> str:
    more = len(reasons) - 1
    if not more:
        return reasons[0]
    return f"{reasons[0]} (failed or invalid besides: {more} more of its processes)"


def rank_each(
    results: Sequence[Judged], failures: Sequence[Failure]
) -> Iterator[tuple[str, Mixture, Ranking]]:
    """Data set, model and ranking of each of the models and data sets among NUTS runs."""
    cases = [each.run.case for each in results] + [each.case for each in failures]
    for dataset, model in dict.fromkeys((case.dataset, case.model) for case in cases):
        runs = [j for j in results if (j.run.case.dataset, j.run.case.model) == (dataset, model)]
        failed = [f for f in failures if (f.case.dataset, f.case.model) == (dataset, model)]
        yield dataset, model, rank(runs, failed)


def _row(name: str, group: Sequence[Judged]) -> Row:
    estimates = {}
    for metric in (*RANKED, BARE):
        told = [judged.scores.metrics.get(metric) for judged in group]
        values = [value for value in told if value is not None and value > 0]
        if len(values) == len(group):
            estimates[metric] = estimate(values)
    return Row(name, group[0].run.case.backend, len(group), estimates)


def estimate(values: Sequence[float]) -> Estimate:
    """Geometric mean and its interval, by Student's t of the logarithms.

    Parameters
    ----------
    values : positive, one for each process
    """
    logs = np.log(values)
    middle = float(np.mean(logs))
    half = math.inf
    if len(logs) > 1:
        quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1))
        half = quantile * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return Estimate(math.exp(middle), math.exp(middle - half), math.exp(middle + half))

"""Samplers side by side: what each takes over repeated fresh processes, the fastest first."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from gmixbench.record import Failure
from gmixbench.ruler.believed import SPARE
from gmixbench.ruler.names import names
from gmixbench.ruler.verdict import Judged, by_chance, thin
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

LEAST = 2
"""Valid processes beside which one that chance may have made invalid is left out, as the gate does:
a right sampler is called invalid once in a thousand, and a ranking has dozens of processes."""

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
    """A sampler that is right in every process, or in all but one that chance may have spoilt.

    `name` tells its backend and what else differs from the others. `estimates` are by metric; one
    that some process does not tell is left out. `note` tells of the process that was left out, and
    of `unordered` what became of the labels.
    """

    name: str
    backend: str
    processes: int
    estimates: dict[str, Estimate]
    note: str = ""


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
    broken: dict[Case, list[Failure]] = {}
    for failure in failures:
        broken.setdefault(replace(failure.case, seed=0), []).append(failure)
    groups: dict[Case, list[Judged]] = {}
    for judged in results:
        groups.setdefault(replace(judged.run.case, seed=0), []).append(judged)
    cases = list(dict.fromkeys([*broken, *groups]))
    rows, left = [], []
    for case, name in zip(cases, names(cases), strict=True):
        found = _row(name, groups.get(case, []), broken.get(case, []))
        if isinstance(found, Row):
            rows.append(found)
        else:
            left.append(found)
    rows.sort(key=lambda row: -row.estimates[ORDER].middle if ORDER in row.estimates else math.inf)
    return Ranking(tuple(rows), tuple(left))


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


def _row(name: str, group: Sequence[Judged], failures: Sequence[Failure]) -> Row | Left:
    good = [judged for judged in group if judged.verdict.valid]
    bad = [judged for judged in group if not judged.verdict.valid]
    reasons = [f"{failure.kind}: {failure.message}" for failure in failures]
    reasons += [f"invalid: {'; '.join(judged.verdict.reasons)}" for judged in bad]
    chance = not failures and all(_by_chance(judged.verdict.reasons) for judged in bad)
    if reasons and not (chance and len(bad) <= SPARE and len(good) >= LEAST):
        return Left(name, _first(reasons))
    notes = [f"seed {judged.run.case.seed} left out, {reasons[0]}" for judged in bad]
    labels = Counter(judged.verdict.labels for judged in good if judged.verdict.labels)
    notes += [f"labels {what} in {count} of {len(good)}" for what, count in labels.items()]
    return Row(name, good[0].run.case.backend, len(good), _estimates(good), "; ".join(notes))


def _by_chance(reasons: Sequence[str]) -> bool:
    # To leave out the processes whose ESS is too low would favour the others' ESS/s.
    return by_chance(reasons) and not thin(reasons)


def _estimates(group: Sequence[Judged]) -> dict[str, Estimate]:
    estimates = {}
    for metric in (*RANKED, BARE):
        told = [judged.scores.metrics.get(metric) for judged in group]
        values = [value for value in told if value is not None and value > 0]
        if len(values) == len(group):
            estimates[metric] = estimate(values)
    return estimates


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
        quantile = float(stdtrit(len(logs) - 1, (1 + CONFIDENCE) / 2))
        half = quantile * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return Estimate(math.exp(middle), math.exp(middle - half), math.exp(middle + half))

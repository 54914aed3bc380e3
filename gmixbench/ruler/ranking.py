"""Samplers side by side: what each takes over repeated fresh processes, the fastest first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from gmixbench.record import Failure
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import Mixture

CONFIDENCE = 0.95

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
"""Metric that limits gradient evaluations per second."""


@dataclass(frozen=True)
class Estimate:
    """Geometric mean of a metric over processes, and its interval; infinitely wide for one."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A backend, with a likelihood, that is right in every process.

    `name` tells both. `estimates` are by metric; one that some process does not tell is left out.
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
    def bare(self) -> Estimate | None:
        """Seconds of the fastest bare gradient that a row tells."""
        told = [row.estimates[BARE] for row in self.rows if BARE in row.estimates]
        return min(told, key=lambda estimate: estimate.middle, default=None)


def rank(results: Sequence[Judged], failures: Iterable[Failure] = ()) -> Ranking:
    """Rank the backends, each with its likelihood, of NUTS runs of one model on one data set.

    Parameters
    ----------
    results : one or more of each backend, with other seeds
    failures : of the same model and data set
    """
    left = {each.case.row: f"{each.kind}: {each.message}" for each in failures}
    groups: dict[str, list[Judged]] = {}
    for judged in results:
        name = judged.run.case.row
        groups.setdefault(name, []).append(judged)
        if not judged.verdict.valid:
            left.setdefault(name, f"invalid: {'; '.join(judged.verdict.reasons)}")
    rows = [_row(name, group) for name, group in groups.items() if name not in left]
    rows.sort(key=lambda row: -row.estimates[ORDER].middle if ORDER in row.estimates else math.inf)
    return Ranking(tuple(rows), tuple(Left(*each) for each in left.items()))


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

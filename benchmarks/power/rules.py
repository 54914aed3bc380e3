"""What other tools would say of the same numbers, by their own code where they have it.

Each takes values of both sides, less being better, and knows nothing of blocks.
"""

from collections.abc import Callable, Mapping

import numpy as np
from asv.commands.compare import _is_result_better
from asv_runner.statistics import compute_stats
from pytest_benchmark.utils import parse_compare_fail
from scipy.stats import ttest_ind

from gmixbench.ruler.compare import Verdict

Rule = Callable[[np.ndarray, np.ndarray], Verdict | None]
"""Old and new values to a verdict; `None` where the tool says nothing."""

FACTOR = 1.1
"""Of `asv compare` and `asv continuous`, unless told otherwise."""

FAIL = parse_compare_fail("median:5%")

LEVEL = 0.01


def asv(old: np.ndarray, new: np.ndarray) -> Verdict | None:
    """Medians a factor apart, and a Mann-Whitney test at 0.002; `asv compare` itself."""
    (was, old_stats), (now, new_stats) = (compute_stats([*map(float, x)], 1) for x in (old, new))
    before, after = (old_stats, [*old]), (new_stats, [*new])
    if _is_result_better(now, was, after, before, FACTOR):
        return "improved"
    return "regressed" if _is_result_better(was, now, before, after, FACTOR) else None


def pytest_benchmark(old: np.ndarray, new: np.ndarray) -> Verdict | None:
    """Median more than 5 % above; `--benchmark-compare-fail=median:5%` itself."""
    was, now = ({"median": float(np.median(x))} for x in (old, new))
    return "regressed" if FAIL.fails(now, was) else None


def t_test(old: np.ndarray, new: np.ndarray) -> Verdict | None:
    """Welch's two-sided test of the logarithms, unpaired, at 1 %."""
    found = ttest_ind(np.log(new), np.log(old), equal_var=False)
    if not found.pvalue < LEVEL:
        return None
    return "regressed" if found.statistic > 0 else "improved"


RULES: dict[str, Rule] = {
    "asv": asv,
    "pytest-benchmark": pytest_benchmark,
    "t-test": t_test,
}

Answers = Mapping[str, Mapping[str, Verdict | None]]
"""Verdicts by metric, by rule."""


def others(tables: Mapping[str, np.ndarray]) -> Answers:
    """What each rule says of each metric, from values of shape (n, 2), old and new."""
    told = {metric: table for metric, table in tables.items() if len(table) > 1}
    return {
        name: {metric: rule(*table.T) for metric, table in told.items()}
        for name, rule in RULES.items()
    }

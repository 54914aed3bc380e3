"""The interval of paired differences, against enumeration and against SciPy's test."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from gmixbench.ruler.comparison.signed_rank import interval, p_above, upper_tail


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_tail_is_that_of_all_sign_patterns(n: int) -> None:
    ranks = np.arange(1, n + 1)
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=n)])
    tail = [np.mean(sums >= t) for t in range(n * (n + 1) // 2 + 1)]
    assert upper_tail(n) == pytest.approx(np.array(tail), abs=1e-15)


@pytest.mark.parametrize("shift", [0.0, 0.4, -0.3])
def test_p_values_are_those_of_scipy(shift: float) -> None:
    d = np.random.default_rng(1).normal(0.2, 1.0, 23)
    told = stats.wilcoxon(d - shift, alternative="greater", method="exact").pvalue
    assert p_above(d, shift) == pytest.approx(told, rel=1e-12)


@pytest.mark.parametrize("level", [0.02, 0.05, 0.2])
def test_the_interval_misses_as_rarely_as_it_says(level: float) -> None:
    # Under the null any signs are as likely: all of them are tried, so there is no chance left.
    sizes = np.random.default_rng(2).standard_t(1.5, 10)
    found = [interval(sizes * signs, level) for signs in product((-1, 1), repeat=10)]
    below = np.mean([each.high < 0 for each in found])
    above = np.mean([each.low > 0 for each in found])
    rarest = upper_tail(10)[upper_tail(10) <= level].max()
    assert below == above == rarest


def test_the_interval_is_where_the_test_does_not_reject() -> None:
    d = np.random.default_rng(3).normal(0.0, 1.0, 14)
    found = interval(d, 0.01)
    assert p_above(d, found.low - 1e-9) <= 0.01 < p_above(d, found.low)
    assert p_above(-d, -found.high - 1e-9) <= 0.01 < p_above(-d, -found.high)


def test_too_few_differences_have_no_bounds() -> None:
    found = interval(np.full(6, 0.3), 0.01)  # 2**-6 is 0.016
    assert (found.estimate, found.low, found.high) == (0.3, -np.inf, np.inf)
    assert np.isfinite(interval(np.full(7, 0.3), 0.01).low)


def test_a_wild_block_widens_the_interval_and_does_not_carry_it_off() -> None:
    d = 0.01 * np.random.default_rng(4).standard_normal(20)
    calm, wild = interval(d, 0.005), interval(np.append(d[:-1], 5.0), 0.005)
    assert wild.high > calm.high
    assert abs(wild.estimate - calm.estimate) < 0.005
    assert wild.low <= 0.0
    # The plain mean would be carried off.
    assert np.append(d[:-1], 5.0).mean() > 0.2

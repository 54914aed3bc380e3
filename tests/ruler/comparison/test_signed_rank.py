"""The interval of paired differences, against enumeration of all signs."""

from itertools import product

import numpy as np
import pytest

from gmixbench.ruler.comparison.signed_rank import estimate, interval, p_above, upper_tail


def signs(n: int) -> np.ndarray:
    return np.array([*product((-1, 1), repeat=n)])


def weights(d: np.ndarray) -> float:
    """Winsorized signed-rank statistic, said again in another way."""
    ranks = np.argsort(np.argsort(np.abs(d))) + 1
    return float(np.minimum(ranks, len(d) / 2)[d > 0].sum())


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_tail_is_that_of_all_sign_patterns(n: int) -> None:
    sums = np.array([2 * weights(pattern * np.arange(1.0, n + 1)) for pattern in signs(n)])
    tail = [np.mean(sums >= t) for t in range(len(upper_tail(n)))]
    assert upper_tail(n) == pytest.approx(np.array(tail), abs=1e-15)


@pytest.mark.parametrize("shift", [0.0, 0.4, -0.3])
def test_p_values_are_shares_of_sign_patterns(shift: float) -> None:
    d = np.random.default_rng(1).normal(0.2, 1.0, 11) - shift
    all_of_them = np.array([weights(pattern * np.abs(d)) for pattern in signs(11)])
    assert p_above(d + shift, shift) == pytest.approx(np.mean(all_of_them >= weights(d)))


@pytest.mark.parametrize("level", [0.02, 0.05, 0.2])
def test_the_interval_misses_as_rarely_as_it_says(level: float) -> None:
    # Under the null any signs are as likely: all of them are tried, so there is no chance left.
    sizes = np.random.default_rng(2).standard_t(1.5, 10)
    found = [interval(sizes * pattern, level) for pattern in signs(10)]
    below = np.mean([each.high < 0 for each in found])
    above = np.mean([each.low > 0 for each in found])
    rarest = upper_tail(10)[upper_tail(10) <= level].max()
    assert below == above == rarest


def test_the_interval_is_where_the_test_does_not_reject() -> None:
    for n in (13, 14, 40):
        d = np.random.default_rng(n).normal(0.0, 1.0, n)
        found = interval(d, 0.01)
        assert p_above(d, found.low - 1e-9) <= 0.01 < p_above(d, found.low + 1e-9)
        assert p_above(-d, -found.high - 1e-9) <= 0.01 < p_above(-d, -found.high + 1e-9)
        assert found.low < found.estimate < found.high


def test_estimate_and_bounds_move_with_the_differences() -> None:
    d = np.random.default_rng(5).standard_t(2.0, 21)
    plain, moved, turned = interval(d, 0.01), interval(d + 3.0, 0.01), interval(-d, 0.01)
    assert [*vars(moved).values()] == pytest.approx([each + 3 for each in vars(plain).values()])
    assert (turned.estimate, turned.low, turned.high) == pytest.approx(
        (-plain.estimate, -plain.high, -plain.low)
    )


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_the_estimate_lies_where_both_signs_weigh_the_same(n: int) -> None:
    d = np.arange(n, dtype=float)
    assert estimate(d) == pytest.approx((n - 1) / 2)


def test_equal_differences_are_their_own_estimate() -> None:
    found = interval(np.full(20, 0.25), 0.001)
    assert (found.estimate, found.low, found.high) == (0.25, 0.25, 0.25)


def test_too_few_differences_have_no_bounds() -> None:
    found = interval(np.full(6, 0.3), 0.01)  # 2**-6 is 0.016
    assert (found.estimate, found.low, found.high) == (0.3, -np.inf, np.inf)
    assert np.isfinite(interval(np.full(7, 0.3), 0.01).low)


def test_a_wild_block_widens_the_interval_and_does_not_carry_it_off() -> None:
    d = 0.01 * np.random.default_rng(4).standard_normal(20)
    wild = np.append(d[:-1], 5.0)
    before, after = interval(d, 0.005), interval(wild, 0.005)
    assert before.high < after.high < 0.02
    assert abs(after.estimate - before.estimate) < 0.005
    assert after.low <= 0.0
    assert wild.mean() > 0.2  # the plain mean would be carried off


def test_a_third_of_wild_blocks_do_not_carry_the_estimate_off() -> None:
    d = 0.01 * np.random.default_rng(6).standard_normal(30)
    d[:10] = 7.0
    assert abs(estimate(d)) < 0.05
    d[:14] = 7.0
    assert estimate(d) > 1.0

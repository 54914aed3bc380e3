"""The statistics of a comparison, each with a control that must come out otherwise."""

import math

import numpy as np
import pytest

from gmixbench.ruler.compare import NOISE_FREEDOM, apart, holm, paired, verdict


def replicates(*values, name=str):
    return {name(k): value for k, value in enumerate(values)}


def test_pairs_see_what_unpaired_replicates_do_not():
    drift = [0.0, 0.3, -0.2, 0.5]
    base = replicates(*drift)
    new = replicates(*(value + 0.1 + 0.001 * k for k, value in enumerate(drift)))
    pairs, strangers = (of(base, new, noise=1.0) for of in (paired, apart))
    assert pairs.source == "4 pairs of runs"
    assert strangers.source == "4 and 4 runs"
    assert pairs.estimate == pytest.approx(strangers.estimate) == pytest.approx(0.1015)
    assert 0.09 < pairs.low < pairs.high < 0.11
    assert strangers.low < 0 < strangers.high


def test_intervals_are_those_of_scipy():
    from scipy import stats

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), rng.normal(0.3, 2.0, size=7)
    found = apart(replicates(*a), replicates(*b), noise=1.0)
    welch = stats.ttest_ind(b, a, equal_var=False, alternative="greater")
    interval = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(min(welch.pvalue, 1 - welch.pvalue))
    found = paired(replicates(*a), replicates(*b[:5]), noise=1.0)
    related = stats.ttest_rel(b[:5], a)
    interval = related.confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(related.pvalue / 2)


def test_few_replicates_are_held_against_the_noise_that_is_given():
    from scipy import stats

    found = apart(replicates(1.0), replicates(1.2, 1.4), noise=0.1)
    half = 0.1 * math.sqrt(1.5) * stats.t.isf(0.05, NOISE_FREEDOM)
    assert found.estimate == pytest.approx(0.3)
    assert found.high - found.estimate == pytest.approx(half)
    assert "assumed noise 0.1" in found.source
    one = replicates(1.0), replicates(1.2)
    assert paired(*one, noise=0.1) == apart(*one, noise=0.1)


def test_what_has_no_chance_in_it_is_certain():
    same, other = replicates(1.0, 1.0, 1.0), replicates(2.0, 2.0, 2.0)
    for of in (paired, apart):
        assert of(same, same, noise=1.0).p_value == 1.0
        assert of(same, other, noise=1.0).p_value == 0.0
        assert of(replicates(1.0), replicates(1.5), noise=0.0).low == 0.5


def test_holm():
    # Holm (1979) by hand: 4 x 0.005, then 3 x 0.01, 2 x 0.03, and never less than the one before.
    assert holm([0.03, 0.005, 0.04, 0.01]) == pytest.approx([0.06, 0.02, 0.06, 0.03])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("worse", "significant", "crossed", "said"),
    [
        ((0.06, 0.10), True, False, "regressed"),
        ((0.06, 0.10), False, False, "inconclusive"),
        ((0.04, 0.10), True, False, "inconclusive"),
        ((0.01, 0.04), True, True, "regressed"),
        ((-0.01, 0.04), True, True, "inconclusive"),
        ((0.01, 0.04), True, False, "equivalent"),
        ((-0.10, -0.06), True, False, "improved"),
        ((-0.10, -0.06), False, False, "inconclusive"),
        ((-0.10, 0.06), True, False, "inconclusive"),
        ((0.0, 0.0), False, False, "equivalent"),
    ],
)
def test_verdict(worse, significant, crossed, said):
    assert verdict(worse, 0.05, significant=significant, crossed=crossed) == said

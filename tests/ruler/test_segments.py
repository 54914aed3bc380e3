"""What chance does to a series: quantiles of histories without a change."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from gmixbench.ruler import segments
from gmixbench.ruler.joining import Layout
from gmixbench.ruler.segments import critical_penalty, noise_of, shows_change

ALPHA = 0.05
LAYOUT = Layout(tuple(np.repeat(np.arange(20), 3).tolist()), (0,) * 60)


@pytest.fixture(scope="module")
def outliers():
    """Noise of a series whose noise has long tails."""
    return noise_of(np.random.default_rng(0).standard_t(2, 60), LAYOUT, ALPHA)


def test_the_penalty_is_a_quantile_of_the_exact_ones():
    many = np.random.default_rng(1).standard_normal((9, 400))
    exact = np.sort(critical_penalty(many, np.zeros(400)))
    for rank in (1, 4, 20):
        assert segments._penalty_quantile(many, rank / 401) == pytest.approx(exact[-rank])
        assert np.count_nonzero(shows_change(many, exact[-rank] * 0.999)) == rank


def test_long_tails_raise_the_penalty(outliers):
    limit = binom.isf(1e-6, 1000, 1.5 * ALPHA) / 1000
    assert outliers.false_alarms(0.0) <= limit
    normal = segments._penalty_quantile(outliers.normal.studentized, ALPHA)
    assert replace(outliers, penalty=normal).false_alarms(0.0) > limit


def test_false_alarms_are_counted_in_histories_of_their_own(outliers):
    assert not np.array_equal(outliers.fresh.values, outliers.permuted.values)
    easily = replace(outliers, penalty=outliers.penalty / 2)
    assert 0.0 < outliers.false_alarms(0.0) < easily.false_alarms(0.0)
    assert easily.false_alarms(np.inf) == 0.0


def test_runs_that_share_a_stream_are_dealt_one_residual():
    shared = replace(LAYOUT, noises=(0, 1, 2) * 20)
    values = np.tile([0.0, 0.1, 5.0], 20)
    found = np.sort(segments._residuals(values, shared))
    assert found == pytest.approx([-0.1, 0.0, 4.9])
    assert segments._residuals(values, LAYOUT).size == 60

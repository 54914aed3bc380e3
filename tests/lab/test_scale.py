"""Rows that go up in size: one rule of data, until their time is spent; interrupted, they go on."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from gmixbench.disk import write_record
from gmixbench.lab import scale, store
from gmixbench.lab.points import density_points
from gmixbench.lab.quantiles import quantiles
from gmixbench.record import Cost, Density, Failure, Timing
from gmixbench.ruler.scale import observations
from gmixbench.spec import GENERAL, MODELS
from gmixbench.truth.density import log_density
from gmixbench.truth.solve import solve

PRIOR = MODELS["ordered"].prior.scale

POINTS = np.array([[-1.0, 0.7], [0.2, 0.1], [-3.0, 1.0]])


class Fake:
    """Runs nothing: seconds of a process are a formula, and its density is the written one."""

    def __init__(self, out, seconds, planted=0.0):
        self.out, self.seconds, self.planted = out, seconds, planted
        self.ran = []

    def __call__(self, case, left):
        n = observations(case)
        self.ran.append(n)
        values, gradients = log_density(case.model, quantiles(n), POINTS)
        rounds = np.full(20, 1e-5 + 1e-8 * n)
        cost = Cost(
            case=case,
            timing=Timing(compile_s=1.0, total_s=self.seconds(n), peak_memory=2 * 10**8),
            call_s=2 * rounds,
            call_cpu_s=rounds,
            resident=10**8,
            peak_gradient=10**8 + 16 * n,
            load=1.0,
            density=Density(POINTS, values, gradients * (1 + self.planted)),
            environment={},
        )
        record = cost if self.seconds(n) <= left else Failure(case, "time-out", "too long")
        write_record(store.stem(self.out, case), record)
        return record


def cases(most=100_000):
    return scale.plan([MODELS["ordered"]], ["a"], ["mixture"], scale.sizes_up_to(most))


def measured(out, fake, budget=60.0, most=100_000):
    found = scale.measure(cases(most), out, budget=budget, run=fake, told=lambda *_: None)
    return [*found]


def test_sizes_are_powers_of_ten():
    assert scale.sizes_up_to(10**6) == [10**k for k in range(2, 7)]
    assert scale.sizes_up_to(5_000) == [100, 1_000]


@pytest.mark.parametrize("n", [2, 3, 10, 100, 12_345])
def test_data_are_every_quantile_once_and_out_of_order(n):
    x = quantiles(n)
    p = (norm.cdf(x + 1) + norm.cdf(x - 1)) / 2
    assert np.sort(p) == pytest.approx((np.arange(n) + 0.5) / n, abs=1e-13)
    if n > 10:
        rises = np.mean([a < b for a, b in pairwise(x)])
        assert 0.3 < rises < 0.7


def test_row_stops_before_a_size_that_its_time_does_not_hold(tmp_path):
    fake = Fake(tmp_path, lambda n: 5 + n / 1000)
    *done, last = measured(tmp_path, fake)
    assert fake.ran == [100, 1_000, 10_000]
    assert len(done) == 3
    assert (last.kind, observations(last.case)) == ("stopped", 100_000)
    assert last.message == "it would take about 105 s of 34 s left"
    (row,) = scale.rows(tmp_path, cases())
    assert row.end == "stopped at n = 100,000: it would take about 105 s of 34 s left"


def test_more_time_goes_on_and_measures_nothing_twice(tmp_path):
    measured(tmp_path, Fake(tmp_path, lambda n: 5 + n / 1000))
    again = Fake(tmp_path, lambda n: 5 + n / 1000)
    measured(tmp_path, again, budget=600.0)
    assert again.ran == [100_000]
    (row,) = scale.rows(tmp_path, cases())
    assert row.end is None
    assert [size.n for size in row.sizes] == [100, 1_000, 10_000, 100_000]


def test_what_is_killed_between_sizes_is_gone_on_with(tmp_path):
    begun = scale.measure(
        cases(), tmp_path, budget=600.0, run=Fake(tmp_path, lambda _: 1.0), told=lambda *_: None
    )
    next(begun), next(begun)
    begun.close()
    (row,) = scale.rows(tmp_path, cases())
    assert row.end == "interrupted at n = 10,000: call it again to go on"
    again = Fake(tmp_path, lambda _: 1.0)
    measured(tmp_path, again, budget=600.0)
    assert again.ran == [10_000, 100_000]


def test_a_failure_ends_its_row_and_stays(tmp_path):
    fake = Fake(tmp_path, lambda n: 5.0 if n < 1000 else 100.0)
    assert measured(tmp_path, fake)[-1].kind == "time-out"
    assert fake.ran == [100, 1_000]
    again = Fake(tmp_path, lambda _: 1.0)
    measured(tmp_path, again)
    assert again.ran == []
    measured(tmp_path, again, budget=61.0)
    assert again.ran == [1_000, 10_000, 100_000]


def test_what_is_right_has_its_time_and_growth(tmp_path):
    measured(tmp_path, Fake(tmp_path, lambda _: 1.0))
    (row,) = scale.rows(tmp_path, cases())
    assert row.time.shape == "linear"
    assert row.memory.power == pytest.approx(1, abs=0.01)
    assert row.sizes[-1].call_s == pytest.approx(1e-5 + 1e-3)
    assert row.sizes[-1].memory == 1_600_000


def test_what_is_wrong_by_a_hair_has_no_time(tmp_path):
    measured(tmp_path, Fake(tmp_path, lambda _: 1.0, planted=1e-8))
    (row,) = scale.rows(tmp_path, cases())
    assert "density_error 1e-08 exceeds 1e-10" in row.end
    assert row.time is None
    for size in row.sizes:
        assert (size.call_s, size.wall, size.compile_s, size.total_s) == (None,) * 4


def test_a_process_tells_times_memory_and_density(tmp_path):
    (case,) = scale.plan([MODELS["ordered"]], ["exact"], ["mixture"], [100])
    run = scale.here(tmp_path, lambda _: None)
    cost = run(case, 120.0)
    assert isinstance(cost, Cost), cost
    assert cost.call_s.shape == cost.call_cpu_s.shape == (20,)
    assert cost.peak_gradient >= cost.resident > 0
    (row,) = scale.rows(tmp_path, [case])
    assert row.end is None
    assert row.sizes[0].truth.error < 1e-14


@pytest.mark.slow
def test_where_densities_are_held_their_gradients_do_not_cancel(tmp_path):
    (case,) = scale.plan([MODELS["ordered"]], ["exact"], ["mixture"], [100_000])
    cost = scale.here(tmp_path, lambda _: None)(case, 120.0)
    x = quantiles(100_000)
    around = density_points(solve(x, case.model), case.model)
    assert summed_plainly(x, cost.density.points) < 1e-11
    assert summed_plainly(x, around) > 5 * summed_plainly(x, cost.density.points)


def summed_plainly(x, points):
    """Largest error of gradients that are summed one term after another, as no library would."""
    first, gap = points[:, :1], np.exp(points[:, 1:])
    share = expit(gap * (x - first - gap / 2))
    lower = np.cumsum((1 - share) * (x - first), axis=1)[:, -1:] - first / PRIOR**2
    upper = np.cumsum(share * (x - first - gap), axis=1)[:, -1:] - (first + gap) / PRIOR**2
    gradient = np.hstack([lower + upper, upper * gap + 1])
    written = log_density(MODELS["ordered"], x, points)[1]
    return np.max(np.abs(gradient - written) / np.maximum(1, np.abs(written)))


def test_a_general_model_has_costs_as_well(tmp_path):
    (case,) = scale.plan([GENERAL["ordered_full"]], ["numpyro"], ["mixture"], [1_000])
    scale.here(tmp_path, lambda _: None)(case, 120.0)
    (row,) = scale.rows(tmp_path, [case])
    assert row.end is None
    assert row.sizes[0].call_s > 0


def test_a_library_that_is_not_there_says_so_in_its_record(tmp_path):
    (case,) = scale.plan([MODELS["ordered"]], ["no.such"], ["mixture"], [100])
    (record,) = scale.measure(
        [case],
        tmp_path,
        budget=60.0,
        run=scale.here(tmp_path, lambda _: None),
        told=lambda *_: None,
    )
    assert record.kind == "missing"
    assert "no" in record.message

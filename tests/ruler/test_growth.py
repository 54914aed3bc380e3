"""Growth of costs: what is fitted, and what is not called linear."""

import numpy as np
import pytest

from gmixbench.ruler.growth import BAND, forecast, growth

SIZES = [100, 1_000, 10_000, 100_000, 1_000_000]


def costs(of, noise=0.02):
    rng = np.random.default_rng(1)
    return [of(n) * np.exp(noise * rng.standard_normal(20)) for n in SIZES]


def test_linear_cost_beneath_an_overhead_is_found():
    found = growth(SIZES, costs(lambda n: 30e-6 + 40e-9 * n))
    assert found.shape == "linear"
    assert found.low <= 1 <= found.high
    assert found.overhead == pytest.approx(30e-6, rel=0.1)
    assert found.leaves == pytest.approx(30e-6 / 40e-9, rel=0.3)
    assert found.off < 0.05


def test_slope_of_all_sizes_alone_would_be_called_flatter():
    # The plain line through the logarithms, which the curve stands in for.
    told = [np.log(np.median(each)) for each in costs(lambda n: 30e-6 + 40e-9 * n)]
    slope = np.polyfit(np.log(SIZES), told, 1)[0]
    assert slope < 1 - BAND


@pytest.mark.parametrize(
    ("power", "shape"),
    [
        (1.3, "steeper"),
        *(
            pytest.param(*given, marks=pytest.mark.slow)
            for given in ((2.0, "steeper"), (0.7, "flatter"), (1.0, "linear"))
        ),
    ],
)
def test_other_powers_are_not_called_linear(power, shape):
    found = growth(SIZES, costs(lambda n: 30e-6 + 1e-8 * n**power))
    assert found.shape == shape
    assert found.power == pytest.approx(power, abs=0.02)


def test_noise_that_hides_the_power_leaves_it_undecided():
    assert growth(SIZES, costs(lambda n: 30e-6 + 40e-9 * n, noise=2.0)).shape == "undecided"


def test_a_curve_of_another_kind_is_told_by_how_far_it_is_off():
    jump = growth(SIZES, costs(lambda n: (1e-8 if n < 50_000 else 1e-7) * n))
    assert jump.off > 0.2


def test_costs_without_repeats_have_no_interval():
    found = growth(SIZES, [np.array([1e6 + 16.0 * n]) for n in SIZES])
    assert found.power == pytest.approx(1, abs=1e-3)
    assert np.isinf([found.low, found.high]).all()
    assert found.shape == "undecided"


def test_three_sizes_or_no_growth_tell_nothing():
    assert growth(SIZES[:3], costs(lambda n: 1e-9 * n)[:3]) is None
    assert growth(SIZES, [np.array([1.0, 1.0])] * 5) is None


def test_growth_that_an_overhead_hides_has_no_power():
    assert growth(SIZES, [np.array([each]) for each in (281.0, 278.0, 278.0, 278.0, 291.0)]) is None


def test_forecast_of_linear_and_of_quadratic_time():
    def forecasts(power):
        seconds = [5 + (n / 1000) ** power for n in SIZES]
        return [forecast(SIZES[:k], seconds[:k], SIZES[k]) / seconds[k] for k in range(2, 5)]

    assert forecasts(1) == pytest.approx([1, 1, 1], rel=0.01)
    assert forecasts(2)[-1] == pytest.approx(1, rel=0.05)


def test_noise_of_starting_is_not_taken_for_growth():
    assert forecast([100, 1_000, 10_000], [5.0, 5.01, 5.9], 100_000) == pytest.approx(
        14.9, rel=0.01
    )
    assert forecast([100, 1_000], [6.0, 5.0], 10_000) == 5.0
    assert forecast([100], [6.0], 1_000) == 6.0

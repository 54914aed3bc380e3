import numpy as np
import pytest

from gmixbench.ruler import curves
from gmixbench.ruler.score import steps_to_converge
from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

ORDERED, UNORDERED = MODELS["ordered"], MODELS["unordered"]


def _exact(distance, n=100):
    rng = np.random.default_rng(0)
    return solve(rng.normal(distance * (rng.integers(0, 2, n) - 0.5), 1), UNORDERED)


@pytest.fixture(scope="module")
def close():
    return _exact(2.0)


@pytest.fixture(scope="module")
def overlapping():
    return _exact(0.0, 30)


@pytest.fixture(scope="module")
def far():
    return _exact(200.0)


def _mass(surface):
    density = np.nan_to_num(surface.density)
    return np.trapezoid(np.trapezoid(density, surface.x, axis=1), surface.y)


def _off(surface, truth, above):
    """Mean difference, relative to the peak, over where the truth exceeds a share of its peak."""
    grid = np.interp(surface.x, truth.x, np.arange(len(truth.x)))
    rows = np.interp(surface.y, truth.y, np.arange(len(truth.y)))
    near = truth.density[np.ix_(np.rint(rows).astype(int), np.rint(grid).astype(int))]
    where = np.nan_to_num(near) > above * np.nanmax(near)
    where &= np.isfinite(surface.density)
    return np.abs(surface.density - near)[where].mean() / np.nanmax(near)


def test_density_of_exact_draws_is_the_exact_density(close):
    draws = close.draws(UNORDERED, 40_000, np.random.default_rng(1))[:, 0]
    curve = curves.draws_density(draws)
    truth = close.labelled.pdf(curve.x)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(1, abs=1e-3)
    assert np.abs(curve.y - truth).max() < 0.08 * truth.max()
    moved = curves.draws_density(draws + close.smaller.sd)
    assert np.abs(moved.y - close.labelled.pdf(moved.x)).max() > 0.3 * truth.max()


@pytest.mark.parametrize(
    "values", [np.zeros(0), np.full(500, np.nan), np.ones(500), np.arange(5.0)]
)
def test_density_of_too_little_is_empty(values):
    assert curves.draws_density(values).x.size == 0


@pytest.mark.parametrize("distance", [0.0, 2.0, 200.0])
def test_exact_density_integrates_to_one(distance):
    exact = _exact(distance)
    for marginal in (exact.smaller, exact.larger, exact.labelled):
        curve = curves.exact_density(marginal)
        assert np.trapezoid(curve.y, curve.x) == pytest.approx(1, abs=2e-3)


def test_autocorrelation_of_an_autoregressive_chain():
    rng = np.random.default_rng(2)
    values = np.zeros((4, 20_000))
    noise = rng.normal(0, np.sqrt(1 - 0.81), values.shape)
    for t in range(1, values.shape[1]):
        values[:, t] = 0.9 * values[:, t - 1] + noise[:, t]
    series = curves.autocorrelation(values, 0.0, 1.0)
    assert series.lags[0] == 1
    assert series.lags[-1] == curves.MAX_LAG
    for lines in (series.own, series.exact[None]):
        assert np.abs(lines - 0.9**series.lags).max() < 0.12


def test_autocorrelation_about_the_exact_mean_shows_a_stuck_chain(close):
    draws = close.draws(ORDERED, 4000, np.random.default_rng(3)).reshape(2, 2000, 2)
    series = curves.autocorrelation(draws[..., 0], close.labelled.mean, close.labelled.sd)
    assert np.abs(series.own).max() < 0.15
    assert series.exact.min() > 0.9


def test_ranks_of_alike_chains_are_level_and_of_a_moved_chain_are_not():
    values = np.random.default_rng(4).normal(size=(4, 5000))
    level = curves.rank_histogram(values)
    assert level.ratio.shape == (4, 20)
    assert level.ratio.mean() == pytest.approx(1)
    assert np.abs(level.ratio - 1).max() < 0.3
    values[0] += 0.5
    assert np.abs(curves.rank_histogram(values).ratio - 1).max() > 0.5


def test_one_window_or_two(close, far):
    def look(exact, model):
        return curves.windows(exact, model, exact.draws(model, 500, np.random.default_rng(5)))

    assert len(look(close, ORDERED)) == 1
    (square,) = look(close, UNORDERED)
    assert square.x == square.y
    above, below = look(far, UNORDERED)
    assert (above.x, above.y) == (below.y, below.x)
    assert above.x[1] < above.y[0]


def test_lost_draws_are_outside_and_do_not_widen_the_window_without_end(close):
    means = close.draws(ORDERED, 1000, np.random.default_rng(6))
    usual = curves.windows(close, ORDERED, means)
    assert curves.outside(means, usual) < 0.005
    means[:250] = 1e300
    means[250:500] = np.nan
    shown = curves.windows(close, ORDERED, means)
    assert shown[0].x[1] - shown[0].x[0] < 3 * (usual[0].x[1] - usual[0].x[0])
    assert curves.outside(means, shown) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("model", [UNORDERED, ORDERED], ids=lambda model: model.name)
@pytest.mark.parametrize("data", ["close", "overlapping"])
def test_surfaces_hold_all_mass_and_draws_follow_the_exact_one(model, data, request):
    exact = request.getfixturevalue(data)
    means = exact.draws(model, 20_000, np.random.default_rng(7))
    (window,) = curves.windows(exact, model, means)
    truth = curves.exact_surface(exact, model, window)
    drawn = curves.draws_surface(model, means, window)
    # The grid's cells at the edge m1 = m2 are cut, not halved.
    slack = 0.03 if model.ordered and data == "overlapping" else 0.005
    assert _mass(truth) == pytest.approx(1, abs=slack)
    assert _mass(drawn) == pytest.approx(1, abs=slack)
    assert _off(drawn, truth, 0.1) < 0.05
    moved = curves.draws_surface(model, means + 0.5 * exact.smaller.sd, window)
    assert _off(moved, truth, 0.1) > 0.1


def test_the_kernel_loses_nothing_at_the_ordering(overlapping):
    means = overlapping.draws(ORDERED, 20_000, np.random.default_rng(8))
    (window,) = curves.windows(overlapping, ORDERED, means)
    drawn = curves.draws_surface(ORDERED, means, window)
    points = np.stack(np.meshgrid(drawn.x, drawn.y), axis=-1)
    gap = points[..., 1] - points[..., 0]
    edge = (gap > 0) & (gap < 3 * (drawn.y[1] - drawn.y[0]))
    truth = overlapping.pdf(ORDERED, points[edge])
    assert drawn.density[edge].sum() == pytest.approx(truth.sum(), rel=0.1)


def test_surface_of_no_draws_is_zero(close):
    (window,) = curves.windows(close, UNORDERED, np.full((10, 2), np.nan))
    assert curves.draws_surface(UNORDERED, np.full((10, 2), np.nan), window).density.max() == 0


def test_levels_are_half_a_decade_apart_below_the_peak(close):
    levels = curves.contour_levels(close, UNORDERED)
    (window,) = curves.windows(close, UNORDERED, np.empty((0, 2)))
    peak = curves.exact_surface(close, UNORDERED, window).density.max()
    assert np.allclose(np.diff(np.log10(levels)), 0.5)
    assert levels[-1] == pytest.approx(peak / np.sqrt(10), rel=0.01)


def test_running_loss_is_the_one_that_tells_convergence():
    steps = np.arange(5000)
    noise = np.random.default_rng(9).normal(0, 0.1, 5000)
    trace = 180 + 10 * np.exp(-steps / 300) + noise
    running = curves.running_loss(trace)
    assert running.y[-1] == pytest.approx(trace[-500:].mean())
    assert running.x[-1] == 5000
    settled = steps_to_converge(trace)
    inside = np.abs(running.y - running.y[-1]) <= 0.1
    assert inside[running.x >= settled].all()
    assert not inside[running.x < settled][-1]


@pytest.mark.parametrize("steps", [1, 300, 15_000])
def test_thinned_loss_is_short_and_keeps_the_first(steps):
    trace = np.arange(steps, dtype=float)
    thin = curves.thin_loss(trace)
    assert 1 <= len(thin.x) <= 1500
    assert (thin.x[0], thin.y[0]) == (1, 0)
    assert len(curves.running_loss(trace).x) >= 1


def test_loss_view_holds_the_lines_and_leaves_out_the_first_descent():
    trace = np.full(1000, 181.0)
    trace[:100] = 1e6
    trace[500] = np.nan
    low, high = curves.loss_view(trace, [180.5, 181.2])
    assert low < 180.5
    assert 181.2 < high < 182
    assert curves.loss_view(np.full(10, np.nan), [1.0, 2.0]) == pytest.approx((0.92, 2.08))


def test_data_and_mixture_are_densities(close):
    density, edges = curves.data_histogram(close.x)
    assert (density * np.diff(edges)).sum() == pytest.approx(1)
    mixture, parts = curves.mixture_density(close, UNORDERED)
    assert np.trapezoid(mixture.y, mixture.x) == pytest.approx(1, abs=0.02)
    assert np.allclose(mixture.y, parts[0].y + parts[1].y)

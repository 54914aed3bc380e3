"""The exact posterior against computations that share nothing with it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate

from gmixbench.lab import datasets
from gmixbench.spec import MODELS, Mixture, Prior
from gmixbench.truth import cells, density
from gmixbench.truth import solve as solving
from gmixbench.truth.cells import UnreachableError
from gmixbench.truth.exact import Exact
from gmixbench.truth.listing import listing
from gmixbench.truth.solve import solve

pytestmark = pytest.mark.usefixtures("solved_anew")

ORDERED, UNORDERED = MODELS["ordered"], MODELS["unordered"]


@pytest.fixture(scope="module")
def reference() -> Exact:
    """The data for which an independent computation gave figures."""
    rng = np.random.default_rng(0)
    z = rng.integers(0, 2, 100)
    return solve(rng.normal(np.array([-1, 1])[z], 1), ORDERED)


def test_agrees_with_independent_figures(reference: Exact) -> None:
    unordered, ordered = listing(reference, UNORDERED), listing(reference, ORDERED)
    assert unordered["log_evidence"] == pytest.approx(-180.508778448, abs=1e-8)
    assert ordered["log_evidence"] == pytest.approx(-180.508778448 - math.log(2), abs=1e-8)
    assert ordered["mean"] == pytest.approx([-0.886812494, 1.130429481], abs=1e-8)
    assert ordered["sd"] == pytest.approx([0.185112186, 0.174047365], abs=1e-8)
    assert unordered["best_mean_field_loss"] == pytest.approx(181.2153806, abs=1e-7)
    assert ordered["best_mean_field_loss"] == pytest.approx(181.5190930, abs=1e-7)
    assert reference.valley == pytest.approx(-16.35, abs=5e-3)


def brute_force(x: np.ndarray, model: Mixture, low: float, high: float, top: float) -> np.ndarray:
    """Evidence and first two moments of m1 < m2 by scipy's adaptive quadrature, scaled by `top`."""

    def integrand(m2: float, m1: float, power: tuple[int, int]) -> float:
        value = density.log_joint(model, x, np.array([[m1, m2]]))[0]
        return math.exp(value - top) * m1 ** power[0] * m2 ** power[1]

    return np.array(
        [
            integrate.dblquad(
                lambda m2, m1, power=power: integrand(m2, m1, power),
                low,
                high,
                lambda m1: m1,
                lambda _: high,
                epsabs=1e-10,
                epsrel=1e-10,
            )[0]
            for power in ((0, 0), (1, 0), (0, 1))
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x", "sigma"),
    [
        (np.array([-2.1, -0.4, 0.3, 0.9, 1.7, -1.2, 0.1, 2.2, -0.6, 0.8]), 1.0),
        (np.array([3.1, 5.2, 4.4, 3.9, 9.7, 10.1, 8.8, 9.4, 11.0, 4.1, 10.3, 9.9]), 0.9),
    ],
)
def test_agrees_with_brute_force(x: np.ndarray, sigma: float) -> None:
    model = replace(ORDERED, sigma=sigma, prior=Prior(0.5, 2.0))
    solved = solve(x, model)
    top = solved.log_joint(solved.modes[:1])[0]
    # A mean that no observation needs is left to its prior, so that bounds the region.
    spread = 9 * max(float(solved.figures.sd.max()), model.prior.scale)
    moments = brute_force(
        x, model, solved.figures.mean[0] - spread, solved.figures.mean[1] + spread, top
    )
    assert solved.figures.log_evidence == pytest.approx(top + math.log(moments[0]), abs=1e-8)
    np.testing.assert_allclose(solved.figures.mean, moments[1:] / moments[0], atol=1e-8)


def plain_sums(
    solved: Exact, points: int = 1201
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Log evidence, moments and a CDF by the trapezoidal rule over the whole plane.

    It converges geometrically for a smooth density that decays on all sides; labels are told
    apart only afterwards, so it shares neither cells nor the half plane with what it checks.
    """
    centre, spread = solved.labelled.mean, 12 * solved.labelled.sd
    grid = np.linspace(centre - spread, centre + spread, points)
    first, second = (axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij"))
    model = replace(UNORDERED, sigma=solved.sigma, prior=solved.prior)
    value = density.log_joint(model, solved.x, np.stack([first, second], axis=1))
    weight = np.exp(value - value.max())
    step = grid[1] - grid[0]
    evidence = float(value.max() + math.log(weight.sum() * step**2))
    weight /= weight.sum()
    log_density = np.array([weight @ value, math.sqrt(weight @ (value - weight @ value) ** 2)])
    sums = np.array([weight @ (first + second), weight @ (first + second) ** 2])
    labelled = np.array([weight @ first, math.sqrt(weight @ (first - weight @ first) ** 2)])
    return evidence, labelled, sums, log_density


@pytest.mark.parametrize("name", ["overlapping", pytest.param("separated", marks=pytest.mark.slow)])
def test_agrees_with_plain_sums_on_the_whole_plane(name: str) -> None:
    solved = solve(datasets.load(name).x, ORDERED)
    evidence, labelled, sums, log_density = plain_sums(solved)
    assert solved.log_evidence(UNORDERED) == pytest.approx(evidence, abs=1e-9)
    np.testing.assert_allclose([solved.labelled.mean, solved.labelled.sd], labelled, atol=1e-9)
    np.testing.assert_allclose(solved.figures.mean.sum(), sums[0], atol=1e-9)
    np.testing.assert_allclose(solved.figures.log_density, log_density, atol=1e-9)


def outlying(seed: int) -> np.ndarray:
    """Two clusters and one or two observations farther out: a second mode that a saddle joins."""
    rng = np.random.default_rng(seed)
    n, out, count = int(rng.integers(8, 60)), rng.uniform(4, 14), int(rng.integers(1, 3))
    x = rng.normal(size=n) + rng.choice([-1, 1], n) * rng.uniform(0, 2.2)
    return np.append(x, out + 0.2 * np.arange(count))


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [12, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (66, 90))]
)
def test_modes_joined_by_a_saddle_count_once(seed: int) -> None:
    solved = solve(outlying(seed), ORDERED)
    assert len(solved.modes) == 2
    assert all(sum(region.holds(top) for region in solved.regions) == 1 for top in solved.modes)
    evidence, labelled, _, _ = plain_sums(solved, points=1601)
    assert solved.log_evidence(UNORDERED) == pytest.approx(evidence, abs=1e-8)
    np.testing.assert_allclose([solved.labelled.mean, solved.labelled.sd], labelled, atol=1e-8)


def test_renormalized_evidence_would_be_seen(reference: Exact) -> None:
    """Negative control of the convention: log 2 is far beyond every error."""
    gap = reference.log_evidence(UNORDERED) - reference.log_evidence(ORDERED)
    assert gap == pytest.approx(math.log(2), abs=1e-12)
    assert float(reference.error.log_evidence) < 1e-9


DATA = {
    "ten": np.random.default_rng(1).normal(size=10),
    "overlapping": np.random.default_rng(2).normal(size=100),
    "three clusters": np.array([-10.0, -10.2, 0.0, 0.1, 10.1, 10.0]),
    "outlier": np.append(np.random.default_rng(3).normal(size=50), 400.0),
    "far from the prior": 1e6 + np.random.default_rng(4).normal(size=200),
    "equal": np.full(30, 2.5),
    "heavy tails": np.random.default_rng(5).standard_cauchy(size=300),
    "large": np.random.default_rng(6).normal(size=20_000) + np.tile([-1.0, 1.0], 10_000),
}


# An ordinary set and one with heavy tails; the others in CI.
@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("overlapping", "heavy tails")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in DATA
    ],
)
def test_halving_the_step_changes_nothing_beyond_the_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved = solve(DATA[name], ORDERED)
    monkeypatch.setattr(solving, "STEPS", tuple(step / 2 for step in solving.STEPS))
    finer = solve(DATA[name], ORDERED)
    for item in ("log_evidence", "mean", "sd", "quantiles", "log_density"):
        change = np.abs(getattr(finer.figures, item) - getattr(solved.figures, item))
        allowed = getattr(solved.error, item) + getattr(finer.error, item)
        assert np.all(change <= allowed), (item, change, allowed)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name == "large" else name for name in DATA],
)
def test_follows_the_data_to_any_place_and_scale(name: str) -> None:
    """Moved and stretched data, with prior and sigma to match, have the same posterior."""
    place, scale = -3e3, 1e-3
    here = solve(DATA[name], ORDERED)
    model = replace(ORDERED, sigma=scale, prior=Prior(place, 10 * scale))
    there = solve(place + scale * DATA[name], model)
    rounding = 1e-9 + 4 * np.spacing(abs(place)) / (scale * here.figures.sd.min())
    # Each observation is rounded at its new place, which shifts it by this much of sigma.
    shift = len(DATA[name]) * np.spacing(abs(place) + scale * np.abs(DATA[name]).max()) / scale
    size = np.abs(DATA[name]).max() + 20
    tolerance = (rounding + shift) * size
    n = len(DATA[name])
    assert float(there.figures.log_evidence) + n * math.log(scale) == pytest.approx(
        float(here.figures.log_evidence), rel=1e-9, abs=tolerance
    )
    np.testing.assert_allclose(
        (there.figures.mean - place) / scale, here.figures.mean, rtol=1e-9, atol=tolerance
    )
    np.testing.assert_allclose(there.figures.sd / scale, here.figures.sd, rtol=1e-5)


def test_valley_is_zero_where_the_mode_is_on_the_diagonal() -> None:
    assert solve(np.full(30, 2.5), ORDERED).valley == 0.0
    assert solve(DATA["three clusters"], ORDERED).valley < -100


def test_all_modes_are_found() -> None:
    solved = solve(DATA["three clusters"], ORDERED)
    assert len(solved.modes) == 2
    np.testing.assert_allclose(solved.modes, [[-10.05, 5.04], [-5.01, 10.0]], atol=0.01)
    # Each holds its share: the mean of the smaller lies between the two.
    assert -10 < solved.figures.mean[0] < -5.1


def test_marginals_are_consistent(reference: Exact) -> None:
    for margin in (reference.smaller, reference.larger, reference.labelled):
        p = np.array([1e-6, 0.05, 0.5, 0.95, 1 - 1e-6])
        np.testing.assert_allclose(margin.cdf(margin.quantile(p)), p, atol=1e-12)
        t = np.linspace(margin.mean - 8 * margin.sd, margin.mean + 8 * margin.sd, 4001)
        np.testing.assert_allclose(integrate.simpson(margin.pdf(t), x=t), 1.0, atol=1e-9)
        np.testing.assert_allclose(
            integrate.simpson(t * margin.pdf(t), x=t), margin.mean, atol=1e-8
        )
    assert reference.labelled.mean == pytest.approx(reference.figures.mean.mean())


def test_a_median_between_modes_far_apart_is_not_told() -> None:
    x = np.concatenate([np.linspace(-502, -498, 30), np.linspace(498, 502, 30)])
    far, near = (listing(solve(data, ORDERED), UNORDERED) for data in (x, DATA["overlapping"]))
    assert far["quantiles"]["0.5"] == far["error"]["quantiles"]["0.5"] == [None, None]
    # The quarter of one labelled mean is the middle of the smaller one.
    assert far["quantiles"]["0.25"][0] == pytest.approx(solve(x, ORDERED).figures.quantiles[2, 0])
    assert near["error"]["quantiles"]["0.5"][0] < 1e-7


def test_joint_density_integrates_to_one(reference: Exact) -> None:
    grid = np.linspace(-2.5, 2.5, 401)
    means = np.stack([axis.ravel() for axis in np.meshgrid(grid, grid, indexing="ij")], axis=1)
    area = (grid[1] - grid[0]) ** 2
    for model in MODELS.values():
        assert reference.pdf(model, means).sum() * area == pytest.approx(1.0, abs=1e-6)
    assert np.all(reference.pdf(ORDERED, means[means[:, 0] > means[:, 1]]) == 0)


def test_unreachable_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_CELLS", 20)
    with pytest.raises(UnreachableError, match="more than 20 cells"):
        solve(DATA["ten"], ORDERED)


@pytest.mark.slow
def test_a_million_observations_agree_with_their_plain_density() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=1_000_000) + rng.choice([-1.0, 1.0], 1_000_000)
    solved = solve(x, ORDERED)
    places = solved.figures.mean + solved.figures.sd * np.array(
        [[0.0, 0.0], [1.5, -2.0], [-3.0, 1.0]]
    )
    plain = density.log_joint(UNORDERED, x, places)
    np.testing.assert_allclose(solved.log_joint(places), plain, rtol=1e-14, atol=1e-7)
    assert np.all(np.abs(solved.figures.mean - [-1, 1]) < 6 * solved.figures.sd)

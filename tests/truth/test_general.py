"""The general mixture: its written density, where it lies, and the references that ship."""

from dataclasses import replace
from itertools import pairwise
from math import hypot, sqrt

import mpmath
import numpy as np
import pytest
from scipy.stats import beta, halfnorm, norm

from gmixbench.disk import DamagedRecordError
from gmixbench.lab import datasets, references
from gmixbench.measured.points import constrained
from gmixbench.spec import DATASETS, GENERAL, MODELS, Mixture, Prior, Spread
from gmixbench.truth import density
from gmixbench.truth.cells import UnreachableError
from gmixbench.truth.known import Figure
from gmixbench.truth.reference import Reference, find_place, from_dict, to_dict
from gmixbench.truth.solve import solve

FULL = GENERAL["ordered_full"]
X = np.array([-3.25, -1.0, -0.5, 0.125, 0.75, 2.0, 30.0])
POINTS = np.array(
    [
        [0.3, -0.2, 0.0, 0.0, 0.0],
        [-1.1, 0.7, -1.5, 0.4, 2.0],
        [2.5, 2.0, 1.2, -2.0, -3.0],
        [-30.0, 3.5, 2.0, -3.0, 6.0],
    ]
)


def precise(model: Mixture, point: tuple[mpmath.mpf, ...]) -> mpmath.mpf:
    """Log density on the unconstrained scale, term by term as the module's docstring has it."""
    assert model.spread is not None
    m1, m2 = point[0], point[0] + mpmath.exp(point[1])
    s1, s2 = mpmath.exp(point[2]), mpmath.exp(point[3])
    theta = 1 / (1 + mpmath.exp(-point[4]))
    d, e = model.spread.weight
    total = point[1] + point[2] + point[3] + mpmath.log(theta) + mpmath.log(1 - theta)
    for mean in (m1, m2):
        total += mpmath.log(mpmath.npdf(mean, model.prior.mean, model.prior.scale))
    for sigma in (s1, s2):
        total += mpmath.log(2 * mpmath.npdf(sigma, 0, model.spread.sigma_scale))
    total += (d - 1) * mpmath.log(theta) + (e - 1) * mpmath.log(1 - theta)
    total -= mpmath.log(mpmath.beta(d, e))
    for x in X:
        parts = theta * mpmath.npdf(x, m1, s1) + (1 - theta) * mpmath.npdf(x, m2, s2)
        total += mpmath.log(parts)
    return total


@pytest.mark.parametrize(
    "model",
    [FULL, replace(FULL, prior=Prior(1.5, 30.0), spread=Spread(0.5, (2.0, 7.0)))],
    ids=["as it ships", "other priors"],
)
@pytest.mark.parametrize("point", POINTS.tolist())
def test_value_and_gradient_agree_with_50_digits(model: Mixture, point: list[float]) -> None:
    with mpmath.workdps(50):
        exact = tuple(mpmath.mpf(value) for value in point)
        value = precise(model, exact)
        gradient = [
            mpmath.diff(lambda *at: precise(model, at), exact, tuple(np.eye(5, dtype=int)[k]))
            for k in range(5)
        ]
    values, gradients = density.log_density(model, X, np.array([point]))
    # At a logit of 6, 1 - theta has lost three digits.
    assert values[0] == pytest.approx(float(value), rel=1e-13, abs=1e-12)
    np.testing.assert_allclose(
        gradients[0], [float(part) for part in gradient], rtol=1e-11, atol=1e-11
    )


def test_it_is_the_density_of_two_means_where_the_rest_is_known() -> None:
    spread = FULL.spread
    assert spread is not None
    two = replace(MODELS["ordered"], prior=FULL.prior)
    points = np.array([[-1.0, 0.5], [0.3, -1.0]])
    wide = np.concatenate([points, np.zeros((2, 3))], axis=1)
    added = 2 * halfnorm.logpdf(1.0, scale=spread.sigma_scale) + beta.logpdf(0.5, *spread.weight)
    jacobian = 2 * np.log(0.5)
    x = datasets.load("close").x
    values, gradients = density.log_density(FULL, x, wide)
    of_two = density.log_density(two, x, points)
    np.testing.assert_allclose(values, of_two[0] + added + jacobian, rtol=1e-13)
    np.testing.assert_allclose(gradients[:, :2], of_two[1], rtol=1e-11)


def test_it_is_a_sum_of_scipy_s_densities() -> None:
    values = density.constrain(FULL, POINTS[:3])
    for (m1, m2, s1, s2, theta), told in zip(
        values, density.log_joint(FULL, X, values), strict=True
    ):
        prior = norm.logpdf([m1, m2], 0, 2).sum() + halfnorm.logpdf([s1, s2], scale=2).sum()
        parts = theta * norm.pdf(X, m1, s1) + (1 - theta) * norm.pdf(X, m2, s2)
        wanted = prior + beta.logpdf(theta, 5, 5) + np.log(parts).sum()
        assert told == pytest.approx(wanted, rel=1e-12)


def test_weights_count_observations() -> None:
    twice = density.log_density(FULL, np.repeat(X, 2), POINTS)
    weighted = density.log_density(FULL, X, POINTS, np.full(len(X), 2.0))
    for one, other in zip(twice, weighted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_constrain_and_back_on_either_side() -> None:
    there = density.constrain(FULL, POINTS)
    np.testing.assert_allclose(density.unconstrain(FULL, there), POINTS, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(constrained(FULL, POINTS), there, rtol=1e-14)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_place_is_a_mode(dataset: str) -> None:
    place = find_place(datasets.load(dataset).x, FULL)
    value, gradient = density.log_density(FULL, place.x, place.peak[None])
    assert np.all(np.abs(gradient) < 1e-3)
    around = place.peak + np.concatenate([np.eye(5), -np.eye(5)]) * 0.5 * place.spread
    assert np.all(density.log_density(FULL, place.x, around)[0] < value)


def test_there_is_no_exact_posterior() -> None:
    with pytest.raises(UnreachableError, match="ordered_full has 5 parameters"):
        solve(datasets.load("close").x, FULL)


SHIPPED = ("overlapping", "close", "separated", "low_dim_gauss_mix")

PUBLISHED = {
    # posteriordb, reference_posteriors/summary_statistics: mean, and its MCSE, of 10,000 draws.
    "smaller mean": (-2.73351447451795, 0.0004164428422851),
    "larger mean": (2.86983188566572, 0.000559642756180628),
    "first standard deviation": (1.02807388317639, 0.000315855160487549),
    "second standard deviation": (1.0238215386158, 0.000414631666695789),
    "first weight": (0.621549344358064, 0.000154376331059873),
}

SQUARED = {
    # The same for the square of each.
    "smaller mean": (7.473869, 0.0022789232),
    "larger mean": (8.2389163, 0.0032252901),
    "first standard deviation": (1.0579241, 0.0006525962),
    "second standard deviation": (1.0498493, 0.0008548406),
    "first weight": (0.3865632, 0.0001929592),
}

BY_STAN = {
    # stat_comp_benchmarks, low_dim_gauss_mix.params: mean and sd of 1,000,000 draws of Stan's NUTS.
    "smaller mean": (-2.7331e00, 4.2029e-02),
    "larger mean": (2.8698e00, 5.4133e-02),
    "first standard deviation": (1.0287e00, 3.1371e-02),
    "second standard deviation": (1.0234e00, 4.0492e-02),
    "first weight": (6.2140e-01, 1.5368e-02),
}

STANS_ESS = 250_000
"""Least ESS taken for a million draws of Stan: a quarter, as its NUTS of 2017 had on this model."""


def of(dataset: str) -> Reference:
    return references.find(datasets.load(dataset).x, FULL)


def z_of_published(reference: Reference) -> list[float]:
    """Distances from what others published, in standard errors of both sides together."""
    z = []
    for known in reference.known()[:-1]:
        mean, sd = known.mean, known.sd
        value, error = PUBLISHED[known.name]
        z.append((mean.value - value) / hypot(mean.error, error))
        value, error = SQUARED[known.name]
        ours = hypot(2 * mean.value * mean.error, 2 * sd.value * sd.error)
        z.append((mean.value**2 + sd.value**2 - value) / hypot(ours, error))
        # Five digits: they may be off by half of the last, which counts as sqrt(1/12) of it.
        value, spread = BY_STAN[known.name]
        last = 10.0 ** (np.floor(np.log10(abs(value))) - 4) / sqrt(12)
        z.append((mean.value - value) / hypot(mean.error, spread / sqrt(STANS_ESS), last))
        z.append((sd.value - spread) / hypot(sd.error, spread / sqrt(2 * STANS_ESS)))
    return z


FAR = float(norm.isf(1e-4 / (2 * 20)))
"""Two-sided limit of 20 distances, of which one is beyond in a right reference of 10,000."""


def test_the_reference_is_that_of_posteriordb() -> None:
    assert max(map(abs, z_of_published(of("low_dim_gauss_mix")))) < FAR


@pytest.mark.parametrize("k", range(5))
def test_a_wrong_reference_is_not(k: int) -> None:
    """The negative control: a mean that is off by a tenth of its standard deviation."""
    right = of("low_dim_gauss_mix")
    known = right.figures[k]
    moved = replace(known, mean=Figure(known.mean.value + 0.1 * known.sd.value, known.mean.error))
    figures = (*right.figures[:k], moved, *right.figures[k + 1 :])
    assert max(map(abs, z_of_published(replace(right, figures=figures)))) > FAR


@pytest.mark.parametrize("dataset", SHIPPED)
def test_what_ships_is_certified_and_whole(dataset: str) -> None:
    reference = of(dataset)
    made = reference.made
    assert made["rhat"] <= 1.001
    assert made["ess"] >= 50_000
    assert made["disagreement_z"] <= made["disagreement_limit"]
    assert len({run["backend"] for run in made["runs"]}) >= 2
    for known in reference.known():
        # Small beside the standard error of a run of ESS 4,000, sd / sqrt(ESS).
        assert 0 < known.mean.error < 0.3 * known.sd.value / sqrt(4000)
        levels = [figure.value for _, figure in sorted(known.quantiles.items())]
        assert all(low < high for low, high in pairwise(levels))
    for margin in reference.margins.values():
        assert np.trapezoid(margin.y, margin.x) == pytest.approx(1.0, abs=0.01)


def test_there_and_back() -> None:
    reference = of("low_dim_gauss_mix")
    again = from_dict(to_dict(reference), reference.x, FULL)
    assert again.known() == reference.known()
    np.testing.assert_array_equal(again.peak, reference.peak)
    with pytest.raises(ValueError, match="of other data"):
        from_dict(to_dict(reference), reference.x + 1e-9, FULL)
    with pytest.raises(ValueError, match="another model"):
        from_dict(to_dict(reference), reference.x, replace(FULL, prior=Prior(0.0, 2.5)))


def test_a_reference_is_found_by_data_and_model_alone(tmp_path, monkeypatch) -> None:
    reference = of("low_dim_gauss_mix")
    shuffled = np.random.default_rng(0).permutation(reference.x)
    assert references.find(shuffled, FULL).known() == reference.known()
    monkeypatch.setenv("GMIXBENCH_REFERENCES", str(tmp_path))
    own = replace(reference, x=reference.x[:-1])
    with pytest.raises(references.MissingReferenceError, match="`gmixbench reference`"):
        references.find(own.x, FULL)
    path = references.keep(tmp_path, own)
    assert references.find(own.x, FULL).known() == reference.known()
    path.write_text(path.read_text()[:-100])
    with pytest.raises(DamagedRecordError, match=path.name):
        references.find(own.x, FULL)

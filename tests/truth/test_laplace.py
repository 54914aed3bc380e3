"""Laplace's normal, by Newton on the written density."""

from dataclasses import replace

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.spec import DATASETS, MODELS
from gmixbench.truth import density, variational
from gmixbench.truth.solve import solve


@pytest.fixture(scope="module", params=DATASETS)
def exact(request):
    return solve(datasets.load(request.param).x, MODELS["ordered"])


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def by_differences(model, exact, at):
    """Curvature by central differences of the values alone, good to some 1e-5."""
    step, bend = 1e-4, np.zeros((2, 2))
    for i, along in enumerate(np.eye(2)):
        for j, across in enumerate(np.eye(2)):
            ends = [at + step * (a * along + b * across) for a in (1, -1) for b in (1, -1)]
            value = density.log_density(model, exact.x, np.array(ends))[0]
            bend[i, j] = (value[0] - value[1] - value[2] + value[3]) / (4 * step**2)
    return bend


def test_it_is_at_the_mode_and_bends_as_the_density_does(exact, model):
    found = exact.laplace(model)
    slope = density.log_density(model, exact.x, found.location[None])[1][0]
    assert np.max(np.abs(slope)) < 1e-9
    precision = np.linalg.inv(found.cholesky @ found.cholesky.T)
    # Values near 200 are rounded to 3e-14, so a second difference over 1e-8 to some 1e-5.
    np.testing.assert_allclose(precision, -by_differences(model, exact, found.location), atol=2e-4)


def test_it_is_no_better_than_the_best_normal_and_near_it(exact, model):
    gap = exact.laplace(model).loss - exact.best_normal(model, "full-rank").loss
    assert 0 < gap < 0.06


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wrong_covariance_is_seen(exact, model, factor):
    """KL of a normal so much wider or narrower: log of its square less 1 and its inverse, or so."""
    found, best = exact.laplace(model), exact.best_normal(model, "full-rank")
    wrong, _ = variational.normal_loss(
        model, exact.x, found.location, np.sqrt(factor) * found.cholesky
    )
    owed = factor - 1 - np.log(factor)
    assert wrong - best.loss > found.loss - best.loss + 0.5 * owed


def test_where_nothing_bends_there_is_none():
    """At the saddle between the modes the density bends up."""
    exact = solve(datasets.load("separated").x, MODELS["ordered"])
    model = MODELS["unordered"]
    saddle = np.full(2, exact.labelled.mean)
    assert variational.laplace(model, exact.x, saddle, exact.scale(model)) is None


def test_it_is_of_any_place_and_scale():
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    model = MODELS["ordered"]
    moved = replace(
        model, sigma=10.0, prior=replace(model.prior, mean=1000.0, scale=10 * model.prior.scale)
    )
    far = solve(1000.0 + 10.0 * exact.x, moved).laplace(moved)
    here = exact.laplace(model)
    np.testing.assert_allclose(far.cholesky, np.diag([10.0, 1.0]) @ here.cholesky, rtol=1e-6)
    there = [1000.0 + 10.0 * here.location[0], here.location[1] + np.log(10.0)]
    np.testing.assert_allclose(far.location, there, rtol=1e-8)

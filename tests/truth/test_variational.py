"""The best normals of both families: none may be better."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.spec import DATASETS, FAMILIES, MODELS, Prior
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve
from gmixbench.truth.variational import best_full_rank, best_mean_field, normal_loss


def posterior(seed: int) -> Exact:
    """Posterior of data of any size, shape and place."""
    rng = np.random.default_rng(seed)
    n, apart, sigma = int(10 ** rng.uniform(1, 2.5)), rng.uniform(0, 4), 10 ** rng.uniform(-2, 2)
    x = sigma * (rng.standard_t(rng.choice([3, 30]), n) + apart * (rng.random(n) < 0.4))
    return solve(x, replace(MODELS["ordered"], sigma=sigma, prior=Prior(0.0, 10 * sigma)))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 8))]
)
def test_no_start_leads_to_a_better_one(seed: int, family: str, model: str) -> None:
    exact = posterior(seed)
    mixture = replace(MODELS[model], sigma=exact.sigma, prior=exact.prior)
    best = exact.best_normal(mixture, family)
    scale = np.diag(best.cholesky)
    rng = np.random.default_rng(seed + 100)
    starts = [
        (best.location + 2 * scale * rng.normal(size=2), scale * np.exp(rng.normal(size=2)))
        for _ in range(4)
    ]
    if family == "mean-field":
        found = best_mean_field(mixture, exact.x, starts)
    else:
        sheared = [(at, np.diag(s) + np.diag([rng.normal() * s[1]], -1)) for at, s in starts]
        found = best_full_rank(mixture, exact.x, sheared)
    assert found.loss >= best.loss - best.error - found.error - 1e-9
    # Its distance from the log evidence is a divergence, which is not negative.
    assert best.loss + exact.log_evidence(mixture) > 0


def test_loss_agrees_with_monte_carlo() -> None:
    exact = posterior(3)
    model = replace(MODELS["ordered"], sigma=exact.sigma, prior=exact.prior)
    location, scale = exact.mode(model), 1.3 * exact.scale(model)
    cholesky = np.diag(scale) + np.diag([-0.6 * scale[1]], -1)
    loss, error = normal_loss(model, exact.x, location, cholesky)
    draws = np.random.default_rng(0).normal(size=(100_000, 2))
    value, _ = density.log_density(model, exact.x, location + draws @ cholesky.T)
    log_q = -0.5 * (draws**2).sum(axis=1) - np.log(scale).sum() - math.log(2 * math.pi)
    terms = log_q - value
    # Five standard errors: one false alarm in two million.
    assert abs(loss - terms.mean()) < 5 * terms.std() / math.sqrt(len(terms)) + error


def test_what_is_no_normal_has_no_loss() -> None:
    exact = posterior(0)
    for scale in ([1.0, -1.0], [1.0, math.nan], [0.0, 1.0]):
        loss, _ = normal_loss(MODELS["unordered"], exact.x, np.zeros(2), np.diag(scale))
        assert math.isnan(loss)
    upper = np.array([[1.0, 0.5], [0.0, 1.0]])
    assert math.isnan(normal_loss(MODELS["unordered"], exact.x, np.zeros(2), upper)[0])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_correlation_only_helps(dataset: str, model: str) -> None:
    exact = solve(datasets.load(dataset).x, MODELS["ordered"])
    alone, together = (exact.best_normal(MODELS[model], family) for family in FAMILIES)
    assert together.loss < alone.loss
    assert together.loss + exact.log_evidence(MODELS[model]) > 0
    # A finite difference along the correlation: the least is flat there, and the mean field is not.
    for best, flat in ((together, True), (alone, False)):
        losses = []
        for sign in (-1, 1):
            moved = best.cholesky + sign * 1e-4 * np.diag([best.cholesky[1, 1]], -1)
            losses.append(normal_loss(MODELS[model], exact.x, best.location, moved)[0])
        slope = (losses[1] - losses[0]) / 2e-4
        assert (abs(slope) < 1e-4) == flat

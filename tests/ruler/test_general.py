"""Runs of a general mixture, judged by a reference: what must pass, and what must not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gmixbench.lab import datasets, references
from gmixbench.lab.execute import job
from gmixbench.record import Counters, Density, Draws, Fit, Run, Timing
from gmixbench.ruler.score import score
from gmixbench.ruler.verdict import Judged, judge
from gmixbench.spec import GENERAL, AdviSettings, Case, NutsSettings, Spread
from gmixbench.truth import density
from gmixbench.truth.reference import STEP, Reference

FULL = GENERAL["ordered_full"]
SETTINGS = NutsSettings(chains=4, warmup=0, draws=2000)
CASE = Case("low_dim_gauss_mix", FULL, "mine", "nuts", SETTINGS)

FREEDOM, WIDER = 5.0, 1.0
"""Of the t distribution whose draws are weighed: its degrees of freedom, and how much wider than
the curvature at the mode it is. Four in five of its draws count."""


@cache
def reference() -> Reference:
    return references.find(datasets.load("low_dim_gauss_mix").x, FULL)


@cache
def proposals() -> tuple[np.ndarray, np.ndarray]:
    """Points of a t distribution around the mode, and the log weights that make them posterior."""
    place = reference()
    steps = np.eye(5) * STEP
    slopes = [
        density.log_density(FULL, place.x, place.peak + sign * steps)[1] for sign in (1.0, -1.0)
    ]
    curvature = -(slopes[0] - slopes[1]) / (2 * STEP)
    factor = np.linalg.cholesky(np.linalg.inv(0.5 * (curvature + curvature.T)))
    rng = np.random.default_rng(3)
    shape = (60_000, 5)
    t = rng.standard_normal(shape) / np.sqrt(rng.chisquare(FREEDOM, shape[0]) / FREEDOM)[:, None]
    points = place.peak + WIDER * t @ factor.T
    log = density.log_density(FULL, place.x, points)[0]
    return points, log + (FREEDOM + 5) / 2 * np.log1p((t**2).sum(axis=1) / FREEDOM)


def drawn(fault: np.ndarray | float = 0.0) -> np.ndarray:
    """Independent draws from the posterior times exp(fault), shape (4, 2000, 5)."""
    points, log = proposals()
    log = log + fault
    weights = np.exp(log - log.max())
    chosen = np.random.default_rng(4).choice(len(log), 8000, p=weights / weights.sum())
    return density.constrain(FULL, points[chosen]).reshape(4, 2000, 5)


def run(values: np.ndarray, measured: Density | None = None) -> Run:
    points = job(CASE, reference()).points
    told = measured or Density(points, *density.log_density(FULL, reference().x, points))
    draws = Draws(values[..., :2], others=values[..., 2:])
    timing = Timing(build_s=0.5, compile_s=2.0, warmup_s=1.0, sample_s=4.0)
    return Run(CASE, timing, Counters(100, 80_000), told, draws, {})


def judged(values: np.ndarray, measured: Density | None = None) -> Judged:
    return judge(run(values, measured), reference())


def test_right_draws_are_valid() -> None:
    found = judged(drawn())
    assert found.verdict.valid, found.verdict.reasons
    assert found.verdict.labels is None
    assert len(found.scores.checks) == 5 * 4 + 2
    assert found.scores.metrics["ess_per_second"] == pytest.approx(8000 / 4, rel=0.2)
    assert [each.name for each in found.scores.evidence][-2:] == ["first weight", "log density"]


def test_the_error_of_the_reference_counts() -> None:
    right = reference()
    first = score(run(drawn()), right).checks[0]
    wide = replace(right.figures[0], mean=replace(right.figures[0].mean, error=1e3))
    again = score(run(drawn()), replace(right, figures=(wide, *right.figures[1:]))).checks[0]
    assert again.z < 1e-3 < first.z
    assert again.mcse == first.mcse
    assert again.error == 1e3


@pytest.mark.parametrize("times", [-1.0, 1.0], ids=["left out", "counted twice"])
def test_wrong_jacobian_of_the_order_is_caught_by_density(times: float) -> None:
    """With the components this far apart no draws could tell."""
    right = run(drawn()).density
    assert right is not None
    gradients = right.gradients + times * np.eye(5)[1]
    wrong = Density(right.points, right.values + times * right.points[:, 1], gradients)
    assert "density_error" in _reasons(judged(drawn(), wrong))


@pytest.mark.parametrize(
    "spread",
    [Spread(sigma_scale=0.5), Spread(weight=(20.0, 20.0))],
    ids=["sigma", "weight"],
)
def test_another_prior_is_caught_by_draws_and_by_density(spread: Spread) -> None:
    other, points = replace(FULL, spread=spread), proposals()[0]
    x = reference().x[:1]  # of one observation: all but the prior is the same
    fault = density.log_density(other, x, points)[0] - density.log_density(FULL, x, points)[0]
    assert _reasons(judged(drawn(fault))).startswith("bias: ")
    at = job(CASE, reference()).points
    wrong = Density(at, *density.log_density(other, reference().x, at))
    assert "density_error" in _reasons(judged(drawn(), wrong))


@pytest.mark.parametrize("k", range(5))
def test_each_parameter_is_held(k: int) -> None:
    """A shift of a quarter of its standard deviation, which is 20 of 8,000 draws' errors."""
    values = drawn()
    values[..., k] += 0.25 * values[..., k].std() * (-1.0 if k in (0, 4) else 1.0)
    found = judged(values)
    name = reference().known()[k].name
    assert any(f"mean of the {name} is" in reason for reason in found.verdict.reasons)
    assert any("by the reference" in reason for reason in found.verdict.reasons)
    assert found.scores.metrics["ess_per_second"] is None


def test_draws_out_of_order_are_no_draws_of_it() -> None:
    values = drawn()
    values[0, 0, :2] = values[0, 0, 1::-1]
    assert "some draws are not in order" in _reasons(judged(values))


def test_draws_that_are_not_finite_are_caught_in_every_parameter() -> None:
    values = drawn()
    values[0, 0, 3] = np.nan
    assert "some draws are not finite" in _reasons(judged(values))


def test_a_fit_has_no_score() -> None:
    fit = Fit(np.zeros(10), np.zeros(2), np.eye(2), np.zeros((5, 2)))
    case = Case("low_dim_gauss_mix", FULL, "mine", "advi-matched", AdviSettings())
    with pytest.raises(TypeError, match="no loss is known of ordered_full"):
        score(replace(run(drawn()), case=case, result=fit), reference())


def _reasons(found: Judged) -> str:
    assert not found.verdict.valid
    return "; ".join(found.verdict.reasons)

"""What is said of fitted normals: where their mass is, and what their draws are worth."""

import math

import numpy as np
import pytest

from gmixbench.ruler.diagnostics import pareto_k
from gmixbench.ruler.score import mode_mass, score
from gmixbench.ruler.verdict import judge
from gmixbench.spec import FAMILIES, MODELS


@pytest.fixture(params=MODELS)
def model(request):
    return str(request.param)


def test_mode_mass_is_the_share_of_draws():
    location, factor = np.array([0.2, 0.7]), np.array([[1.1, 0.0], [-0.6, 0.5]])
    points = location + np.random.default_rng(0).normal(size=(200_000, 2)) @ factor.T
    share = np.mean(points[:, 1] > points[:, 0])
    mass = mode_mass(location, factor)
    assert abs(share - mass) < 5 * math.sqrt(mass * (1 - mass) / len(points))
    uncorrelated = mode_mass(location, np.diag(np.linalg.norm(factor, axis=1)))
    assert abs(share - uncorrelated) > 5 * math.sqrt(mass * (1 - mass) / len(points))


def test_a_fit_of_one_mode_has_all_its_mass_there(make_normal, solved):
    """And its mirror image none; one that straddles both has a half in each."""
    best = solved("close").best_normal(MODELS["unordered"], "full-rank")
    masses = [
        score(make_normal(where, best.cholesky, "unordered"), solved("close")).metrics["mode_mass"]
        for where in (best.location, best.location[::-1], np.full(2, best.location.mean()))
    ]
    first = best.location[1] > best.location[0]
    assert masses == pytest.approx([float(first), float(not first), 0.5], abs=1e-6)


def test_ordered_has_one_mode(make_normal, solved):
    best = solved("close").best_normal(MODELS["ordered"], "full-rank")
    metrics = score(make_normal(best.location, best.cholesky), solved("close")).metrics
    assert metrics["mode_mass"] is None


@pytest.mark.parametrize("narrow", [0.3, 0.5])
def test_pareto_k_of_normals_is_known(narrow):
    """Under a normal c times as wide as it ought to be, ratios have a tail of shape 1 - c^2."""
    count = 100_000
    draws = narrow * np.random.default_rng(0).normal(size=count)
    k = pareto_k(-0.5 * draws**2 + 0.5 * (draws / narrow) ** 2)
    known = 1 - narrow**2
    # Standard error of a generalized Pareto shape from the 3 sqrt(S) largest (Hosking 1987).
    error = (1 + known) / math.sqrt(3 * math.sqrt(count))
    assert abs(k - known) < 4 * error


def test_without_a_tail_there_is_no_pareto_k():
    assert math.isnan(pareto_k(np.zeros(1000)))
    assert math.isnan(pareto_k(np.arange(24.0)))


def test_a_normal_too_narrow_has_a_high_pareto_k(make_normal, solved, model):
    best = solved("close").best_normal(MODELS[model], "full-rank")
    right, narrow = (
        score(make_normal(best.location, width * best.cholesky, model), solved("close"))
        for width in (1.0, 0.3)
    )
    assert narrow.metrics["pareto_k"] > 0.7
    assert right.metrics["pareto_k"] < narrow.metrics["pareto_k"] - 0.1
    assert right.metrics["gap"] == pytest.approx(0.0, abs=1e-9)
    assert narrow.metrics["gap"] > 1


def test_one_mode_is_not_seen_by_pareto_k(make_normal, solved):
    """No draw is where the posterior's other half is; KL says so, and mode mass."""
    best = solved("close").best_normal(MODELS["unordered"], "full-rank")
    metrics = score(make_normal(best.location, best.cholesky, "unordered"), solved("close")).metrics
    assert metrics["pareto_k"] < 0.7
    assert metrics["kl"] > math.log(2)


def test_a_factor_that_is_not_the_one_drawn_with_is_seen(make_normal, solved, model):
    best = solved("close").best_normal(MODELS[model], "full-rank")
    told = make_normal(best.location, best.cholesky, model, said=0.5)
    metrics = score(told, solved("close")).metrics
    assert metrics["pareto_k"] > 0.7
    assert metrics["gap"] > 0.5


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_laplace_of_a_wrong_covariance_owes_more(make_normal, solved, model, scale):
    exact = solved("close").laplace(MODELS[model])
    right, wrong = (
        score(make_normal(exact.location, by * exact.cholesky, model, "laplace"), solved("close"))
        for by in (1.0, scale)
    )
    # Of one normal under another as wide times s: s^2 - 1 - log s^2 in two dimensions.
    owed = scale**2 - 1 - math.log(scale**2)
    assert wrong.metrics["gap"] > right.metrics["gap"] + 0.5 * owed
    assert 0 < right.metrics["gap"] < 0.05


@pytest.mark.parametrize("method", ["pathfinder", "laplace"])
def test_it_is_valid_with_a_gap_and_not_asked_to_converge(make_normal, solved, model, method):
    best = solved("close").best_normal(MODELS[model], "full-rank")
    wide = make_normal(best.location, 2 * best.cholesky, model, method)
    verdict = judge(wide, solved("close")).verdict
    assert verdict.valid
    assert verdict.converged is None
    assert verdict.reasons == ()
    broken = make_normal(best.location, best.cholesky, model, method, said=math.nan)
    verdict = judge(broken, solved("close")).verdict
    assert not verdict.valid
    assert verdict.reasons == ("the fitted normal has no finite loss",)


def test_metrics_of_advi_are_not_told(make_normal, solved):
    best = solved("close").best_normal(MODELS["ordered"], FAMILIES[1])
    metrics = score(make_normal(best.location, best.cholesky), solved("close")).metrics
    for name in ("steps_per_second", "average_loss", "steps_to_converge"):
        assert metrics[name] is None


def test_draws_that_can_t_be_have_no_pareto_k(make_normal, solved):
    best = solved("close").best_normal(MODELS["ordered"], "full-rank")
    run = make_normal(best.location, best.cholesky)
    run.result.means[3] = run.result.means[3, ::-1]
    assert score(run, solved("close")).metrics["pareto_k"] is None
    run.result.means[3] = np.nan
    assert score(run, solved("close")).metrics["pareto_k"] is None

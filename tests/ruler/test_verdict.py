"""What judge must catch, and what it must let pass."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.record import Density, Run
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import Chain
from gmixbench.ruler.verdict import (
    BY_DRAWS,
    CONSTANT_SHIM,
    FAMILYWISE,
    by_chance,
    judge,
    judge_labels,
    limit,
)
from gmixbench.spec import DATASETS, MODELS
from gmixbench.truth import cells
from gmixbench.truth.draws import draw
from gmixbench.truth.exact import Exact

MakeRun = Callable[..., Run]
Solved = Callable[[str], Exact]
Tampered = Callable[..., Density]


def drawn(
    exact: Exact, factor: Callable[[np.ndarray], np.ndarray], count: int = 20_000
) -> np.ndarray:
    """Independent draws, shape (4, count / 4, 2), from the posterior times exp(factor(means))."""
    regions = tuple(
        replace(
            region,
            across=region.across + factor(cells.places(region.low, region.size, region.half)),
        )
        for region in exact.regions
    )
    return draw(regions, count, np.random.default_rng(11)).reshape(4, count // 4, 2)


def log_gap(means: np.ndarray) -> np.ndarray:
    return np.log(means[..., 1] - means[..., 0])


def reasons(run: Run, exact: Exact) -> str:
    judged = judge(run, exact)
    assert not judged.verdict.valid
    for name, value in judged.scores.metrics.items():
        assert value is None or not METRICS[name].speed, f"{name} shown for an invalid run"
    return "; ".join(judged.verdict.reasons)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_right_draws_are_valid(make_run: MakeRun, solved: Solved, model: str, dataset: str) -> None:
    judged = judge(make_run(model, dataset), solved(dataset))
    assert judged.verdict.valid, judged.verdict.reasons
    assert judged.verdict.labels == (None if model == "ordered" else "mixed")
    assert judged.scores.metrics["ess_per_second"] is not None


def test_the_untampered_sampler_passes(make_run: MakeRun, solved: Solved) -> None:
    """Control of the controls: the way faults are planted is itself no fault."""
    exact = solved("overlapping")
    run = make_run(dataset="overlapping", means=drawn(exact, lambda means: 0 * means[..., 0]))
    assert judge(run, exact).verdict.valid


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_shifted_mean_is_caught(
    make_run: MakeRun, solved: Solved, model: str, dataset: str
) -> None:
    exact = solved(dataset)
    means = make_run(model, dataset).result.means
    shifted = means + 0.1 * exact.figures.sd.min() * np.array([1.0, 1.0])
    assert "bias: mean of the" in reasons(make_run(model, dataset, means=shifted), exact)


@pytest.mark.parametrize("dataset", DATASETS)
def test_inflated_variance_is_caught(make_run: MakeRun, solved: Solved, dataset: str) -> None:
    exact = solved(dataset)
    means = make_run("ordered", dataset).result.means
    inflated = np.sort(exact.figures.mean + math.sqrt(1.1) * (means - exact.figures.mean), axis=-1)
    assert "bias: sd of the" in reasons(make_run("ordered", dataset, means=inflated), exact)


@pytest.mark.parametrize(("times", "name"), [(-1.0, "left out"), (1.0, "counted twice")])
def test_wrong_jacobian_is_caught_by_draws_and_by_density(
    make_run: MakeRun, solved: Solved, tampered: Tampered, times: float, name: str
) -> None:
    exact = solved("overlapping")
    means = drawn(exact, lambda means: times * log_gap(means))
    assert "bias" in reasons(make_run(dataset="overlapping", means=means), exact), name
    right = make_run(dataset="overlapping")

    def change(
        points: np.ndarray, values: np.ndarray, gradients: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        gradients[:, 1] += times
        return values + times * points[:, 1], gradients

    wrong = make_run(dataset="overlapping", measured=tampered(right, change))
    assert "density_error" in reasons(wrong, exact)


def test_renormalized_prior_is_caught(
    make_run: MakeRun, solved: Solved, tampered: Tampered
) -> None:
    exact, right = solved("close"), make_run()
    wrong = tampered(right, lambda _, values, gradients: (values + math.log(2), gradients))
    assert "density_constant 0.693147 nats" in reasons(make_run(measured=wrong), exact)
    explained = replace(make_run(measured=wrong), shims=(CONSTANT_SHIM,))
    assert judge(explained, exact).verdict.valid


def test_transformed_distribution_prior_is_caught(
    make_run: MakeRun, solved: Solved, tampered: Tampered
) -> None:
    """A normal prior on log(m2 - m1), as TransformedDistribution would give it."""
    exact, right, scale = solved("close"), make_run(), MODELS["ordered"].prior.scale

    def change(
        points: np.ndarray, values: np.ndarray, gradients: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        log, second = points[:, 1], points[:, 0] + np.exp(points[:, 1])
        gradients[:, 0] += second / scale**2
        gradients[:, 1] += -log / scale**2 - 1 + second * np.exp(log) / scale**2
        return values - 0.5 * (log / scale) ** 2 - log + 0.5 * (second / scale) ** 2, gradients

    wrong = make_run(measured=tampered(right, change))
    assert "density_error" in reasons(wrong, exact)


def test_single_precision_is_caught(make_run: MakeRun, solved: Solved, tampered: Tampered) -> None:
    exact, right = solved("close"), make_run()
    wrong = tampered(
        right,
        lambda _, values, gradients: (
            values.astype(np.float32).astype(float),
            gradients.astype(np.float32).astype(float),
        ),
    )
    assert "density_error" in reasons(make_run(measured=wrong), exact)


def test_wrong_gradient_alone_is_caught(
    make_run: MakeRun, solved: Solved, tampered: Tampered
) -> None:
    exact, right = solved("close"), make_run()
    wrong = tampered(right, lambda _, values, gradients: (values, gradients * (1 + 1e-9)))
    assert "density_error" in reasons(make_run(measured=wrong), exact)


def test_density_that_is_no_number_is_caught(
    make_run: MakeRun, solved: Solved, tampered: Tampered
) -> None:
    exact, right = solved("close"), make_run()
    wrong = tampered(right, lambda _, values, gradients: (values * np.nan, gradients))
    assert "density_error inf" in reasons(make_run(measured=wrong), exact)


def unheld(run: Run) -> Run:
    """A run whose labels were sampled, so that there is no density to hold."""
    return replace(run, case=replace(run.case, likelihood="discrete"), density=None)


def test_sampled_labels_are_judged_by_the_draws_of_the_means_and_say_so(
    make_run: MakeRun, solved: Solved
) -> None:
    judged = judge(unheld(make_run()), solved("close"))
    assert judged.verdict.valid
    assert judged.verdict.reasons == (BY_DRAWS,)
    assert by_chance(judged.verdict.reasons)
    metrics = judged.scores.metrics
    assert metrics["density_error"] is metrics["density_constant"] is None
    assert metrics["ess_per_second"] is not None


def test_wrong_weights_of_sampled_labels_are_caught_by_the_draws(
    make_run: MakeRun, solved: Solved
) -> None:
    """Draws of the posterior whose first component weighs 0.55, by importance resampling."""
    exact = solved("close")

    def excess(means: np.ndarray) -> np.ndarray:
        heights = np.exp(-0.5 * (exact.x - means[..., None]) ** 2)
        halves = np.log(heights.sum(axis=-2)).sum(axis=-1)
        weights = np.array([1.1, 0.9])[:, None]
        return np.log((weights * heights).sum(axis=-2)).sum(axis=-1) - halves

    wrong = make_run(means=drawn(exact, excess))
    assert "bias: mean of the" in reasons(unheld(wrong), exact)


def test_a_dropped_mode_is_stuck_but_valid(make_run: MakeRun, solved: Solved) -> None:
    judged = judge(make_run("unordered", means=make_run("ordered").result.means), solved("close"))
    assert judged.verdict.valid
    assert judged.verdict.labels == "stuck"
    assert "no mode switch in chains 1, 2, 3 and 4 (of 4)" in judged.verdict.reasons[0]


@pytest.mark.parametrize(
    ("stuck", "told"),
    [({2}, "chain 2 (of 4)"), ({2, 4}, "chains 2 and 4 (of 4)"), ({2, 3, 4}, "chains 2, 3 and 4")],
)
def test_stuck_chains_are_named_as_in_a_sentence(stuck: set[int], told: str) -> None:
    chains = tuple(Chain(0.5, 0 if k in stuck else 9, 0.01, 900.0) for k in range(1, 5))
    labels, (reason,) = judge_labels(chains)
    assert labels == "stuck"
    assert f"no mode switch in {told}" in reason


def test_rare_or_lopsided_switches_are_undecided(make_run: MakeRun, solved: Solved) -> None:
    means = make_run("ordered").result.means
    rare = means.copy()
    rare[:, 2500:] = rare[:, 2500:, ::-1]
    verdict = judge(make_run("unordered", means=rare), solved("close")).verdict
    assert verdict.labels == "undecided"
    assert "mode indicator has ESS" in verdict.reasons[0]
    lopsided = means.copy()
    flipped = np.random.default_rng(0).random(means.shape[:2]) < 0.4
    lopsided[flipped] = lopsided[flipped][:, ::-1]
    verdict = judge(make_run("unordered", means=lopsided), solved("close")).verdict
    assert verdict.labels == "undecided"
    assert "MCSE from 1/2" in verdict.reasons[0]


def test_too_little_evidence_is_not_valid(make_run: MakeRun, solved: Solved) -> None:
    assert "not enough evidence" in reasons(make_run(draws=60), solved("close"))


def test_draws_out_of_order_or_not_finite_are_not_valid(make_run: MakeRun, solved: Solved) -> None:
    means = make_run().result.means.copy()
    means[0, 0] = means[0, 0, ::-1]
    assert "not in order" in reasons(make_run(means=means), solved("close"))
    means[0, 0] = np.nan
    assert "not finite" in reasons(make_run(means=means), solved("close"))


def test_what_a_right_sampler_is_blamed_for_by_chance_is_told_from_faults(
    make_run: MakeRun, make_fit: MakeRun, solved: Solved, tampered: Tampered
) -> None:
    def said(run: Run) -> tuple[str, ...]:
        verdict = judge(run, solved("close")).verdict
        assert not verdict.valid
        return verdict.reasons

    means = make_run("unordered").result.means
    stuck = np.sort(means, axis=-1) + 0.05
    assert by_chance(said(make_run("unordered", means=stuck)))  # with a remark on its labels
    assert by_chance(said(make_run(draws=60)))
    assert not by_chance(said(make_run(means=make_run().result.means[..., ::-1])))
    assert not by_chance(said(make_fit(scale=[0.1, np.nan])))
    wrong = tampered(make_run(), lambda _, values, gradients: (values + 1.0, gradients))
    assert not by_chance(said(make_run(measured=wrong, means=make_run().result.means + 0.1)))


def test_advi(make_fit: MakeRun, solved: Solved) -> None:
    exact = solved("close")
    best = exact.best_normal(MODELS["ordered"], "mean-field")
    good = judge(make_fit(), exact).verdict
    assert good.valid
    assert good.converged
    far = judge(make_fit(location=best.location + np.diag(best.cholesky)), exact).verdict
    assert far.valid
    assert not far.converged
    assert "has not converged" in far.reasons[0]
    lost = judge(make_fit(scale=[0.1, np.nan]), exact).verdict
    assert not lost.valid
    assert "no finite loss" in lost.reasons[0]


def test_a_loss_below_the_best_is_impossible(make_fit: MakeRun, solved: Solved) -> None:
    exact = solved("close")
    fits = exact.best["mean-field"].items()
    raised = {name: replace(fit, loss=fit.loss + 1e-4) for name, fit in fits}
    better = replace(exact, best={**exact.best, "mean-field": raised})
    verdict = judge(make_fit(), better).verdict
    assert not verdict.valid
    assert "below the best possible" in verdict.reasons[0]


def test_limit_tends_to_the_normal_quantile() -> None:
    # Bonferroni over ten two-sided checks at 0.1 %: z = 3.8906.
    assert FAMILYWISE == 0.001
    assert limit(10, 1e12) == pytest.approx(3.8906, abs=1e-4)
    assert limit(10, 4000) > limit(10, 20_000) > limit(1, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "chains", "draws"),
    [("close", 4, 1000), ("close", 4, 5000), ("close", 2, 10_000), ("overlapping", 4, 1000)],
)
def test_a_against_a(
    make_run: MakeRun, solved: Solved, dataset: str, chains: int, draws: int
) -> None:
    """Of 200 right runs at most 1 % are called invalid, in the counts of each profile."""
    exact = solved(dataset)
    invalid = [
        reason
        for seed in range(200)
        for reason in judge(
            make_run("unordered", dataset, chains=chains, draws=draws, seed=seed), exact
        ).verdict.reasons
        if not reason.startswith("labels")
    ]
    assert len(invalid) <= 2, invalid

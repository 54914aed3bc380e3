"""Each metric against its definition, on runs whose answer is known."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gmixbench.record import Run
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import WINDOW, score, steps_to_converge
from gmixbench.spec import MODELS
from gmixbench.truth.exact import Exact

MakeRun = Callable[..., Run]
Solved = Callable[[str], Exact]


def test_every_metric_has_a_key_and_every_key_is_a_metric(
    make_run: MakeRun, make_fit: MakeRun, solved: Solved
) -> None:
    for run in (make_run("unordered", draws=500), make_run(draws=500), make_fit()):
        metrics = score(run, solved("close")).metrics
        assert list(metrics) == list(METRICS)
        for name, value in metrics.items():
            if not METRICS[name].concerns(run.case.method):
                assert value is None, name


def test_independent_draws_are_the_limit(make_run: MakeRun, solved: Solved) -> None:
    metrics = score(make_run("unordered"), solved("close")).metrics
    count = 20_000
    assert metrics["rhat"] == pytest.approx(1.0, abs=0.01)
    assert metrics["rhat_relabelled"] == pytest.approx(1.0, abs=0.01)
    assert metrics["ess_bulk"] == pytest.approx(count, rel=0.1)
    assert metrics["ess_tail"] == pytest.approx(count, rel=0.1)
    # Half of all neighbours differ; binomial, so 4 sd is 14 per 1000.
    assert metrics["mode_switches"] == pytest.approx(500, abs=14.2)
    assert metrics["mode_occupancy"] == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(count))
    assert metrics["density_error"] == 0.0
    assert metrics["density_constant"] == 0.0


def test_speeds_are_ratios_of_what_was_counted(make_run: MakeRun, solved: Solved) -> None:
    metrics: dict[str, Any] = score(make_run(), solved("close")).metrics
    ess = min(metrics["ess_bulk"], metrics["ess_tail"])
    assert metrics["draws_per_second"] == pytest.approx(20_000 / 4.0)
    assert metrics["ess_per_second"] == pytest.approx(ess / 4.0)
    assert metrics["ess_per_gradient"] == pytest.approx(ess / 8000)
    assert metrics["seconds_per_gradient"] == pytest.approx(4.0 / 8000)
    assert metrics["time_to_ess_1000"] == pytest.approx(0.5 + 2.0 + 1.0 + 4.0 * 1000 / ess)
    explained = metrics["ess_per_gradient"] / metrics["seconds_per_gradient"]
    assert metrics["ess_per_second"] == pytest.approx(explained)


def test_of_chains_at_once_no_gradient_has_the_clock(make_run: MakeRun, solved: Solved) -> None:
    run = make_run(draws=1000)
    together = replace(run, counters=replace(run.counters, at_once=4))
    metrics, alone = (score(each, solved("close")).metrics for each in (together, run))
    assert metrics["seconds_per_gradient"] is None
    assert alone["seconds_per_gradient"] is not None
    assert metrics["ess_per_gradient"] == alone["ess_per_gradient"]
    assert metrics["ess_per_second"] == alone["ess_per_second"]


def test_stuck_chains(make_run: MakeRun, solved: Solved) -> None:
    means = make_run("ordered").result.means
    split = means.copy()
    split[1::2] = split[1::2, :, ::-1]
    metrics: dict[str, Any] = score(make_run("unordered", means=split), solved("close")).metrics
    assert metrics["rhat"] > 1.5
    assert metrics["rhat_relabelled"] < 1.01
    assert metrics["mode_occupancy"] == 0.5
    assert metrics["occupancy_error"] == 0.5
    assert metrics["mode_switches"] == 0
    same: dict[str, Any] = score(make_run("unordered", means=means), solved("close")).metrics
    assert same["rhat"] < 1.01
    assert same["occupancy_error"] == 0.5


def test_sampler_statistics(make_run: MakeRun, solved: Solved) -> None:
    rng = np.random.default_rng(0)
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[2, :7] = True
    deep = np.zeros((4, 1000), dtype=bool)
    deep[0] = True
    run = make_run(
        draws=1000, diverging=diverging, at_max_treedepth=deep, energy=rng.normal(size=(4, 1000))
    )
    metrics = score(run, solved("close")).metrics
    assert metrics["divergences"] == 7
    assert metrics["max_treedepth_share"] == 0.25
    # Independent energies: the variance of a difference is twice that of one.
    assert metrics["ebfmi"] == pytest.approx(2.0, rel=0.15)
    untold = score(make_run(draws=1000), solved("close")).metrics
    assert untold["divergences"] is untold["ebfmi"] is untold["max_treedepth_share"] is None


@pytest.mark.parametrize("model", MODELS)
def test_the_best_mean_field_has_no_gap(make_fit: MakeRun, solved: Solved, model: str) -> None:
    metrics: dict[str, Any] = score(make_fit(model), solved("close")).metrics
    assert metrics["gap"] == pytest.approx(0.0, abs=1e-9)
    assert metrics["kl"] > (math.log(2) if model == "unordered" else 0.0)
    assert metrics["average_loss"] == pytest.approx(metrics["loss"])
    assert metrics["steps_per_second"] == 1000
    best = solved("close").best_normal(MODELS[model], "mean-field")
    wide: dict[str, Any] = score(
        make_fit(model, scale=2 * np.diag(best.cholesky)), solved("close")
    ).metrics
    assert wide["gap"] > 0.5
    assert wide["kl"] - wide["gap"] == pytest.approx(metrics["kl"] - metrics["gap"])


def test_steps_to_converge() -> None:
    falling = np.concatenate([np.linspace(50, 0, 3000), np.zeros(4000)])
    step = steps_to_converge(falling)
    # The window that ends at this step, and no later one, is still more than 0.1 off.
    assert step is not None
    running = np.convolve(falling, np.ones(WINDOW) / WINDOW, mode="valid")
    away = np.flatnonzero(np.abs(running - running[-1]) > 0.1)[-1]
    assert step == away + 1 + WINDOW
    assert steps_to_converge(np.zeros(1000)) == WINDOW
    assert steps_to_converge(np.zeros(WINDOW - 1)) is None
    assert steps_to_converge(np.append(falling, np.nan)) is None

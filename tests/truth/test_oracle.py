"""The backend `exact`, as a library would be measured."""

from dataclasses import replace

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.execute import job
from gmixbench.record import Run
from gmixbench.ruler.verdict import Judged, judge
from gmixbench.spec import DATASETS, MODELS, AdviSettings, Case, NutsSettings
from gmixbench.truth import oracle
from gmixbench.truth.solve import solve


def judged(model: str, dataset: str, method: str) -> Judged:
    exact = solve(datasets.load(dataset).x, MODELS["ordered"])
    settings = NutsSettings(warmup=0) if method == "nuts" else AdviSettings(steps=1000)
    case = Case(dataset, MODELS[model], "exact", method, settings, seed=3)
    work = job(case, exact)
    built = oracle.build(work)
    measured = (oracle.sample if method == "nuts" else oracle.fit_advi)(built, work)
    density = oracle.density(built, work.points)
    assert density.points.shape == (50, 2)
    return judge(Run(case, measured.timing, measured.counters, density, measured.result, {}), exact)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_sampling_is_the_limit(model: str, dataset: str) -> None:
    run = judged(model, dataset, "nuts")
    metrics = run.scores.metrics
    assert run.verdict.valid, run.verdict.reasons
    assert metrics["rhat"] == pytest.approx(1.0, abs=0.01)
    assert metrics["ess_bulk"] == pytest.approx(20_000, rel=0.1)
    assert metrics["density_error"] == 0.0
    if model == "unordered":
        assert run.verdict.labels == "mixed"
        # Of 20,000 independent draws: four standard errors.
        assert metrics["mode_occupancy"] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(20_000))


@pytest.mark.parametrize("model", MODELS)
def test_fitting_has_no_gap_and_tells_no_time(model: str) -> None:
    run = judged(model, "close", "advi-matched")
    assert run.verdict.valid
    assert run.verdict.converged
    assert run.scores.metrics["gap"] == pytest.approx(0.0, abs=1e-9)
    assert run.scores.metrics["steps_per_second"] is None


def test_its_draws_depend_on_the_seed_alone() -> None:
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    case = Case("close", MODELS["unordered"], "exact", "nuts", NutsSettings(draws=50), seed=1)
    works = [job(case, exact), job(case, exact), job(replace(case, seed=2), exact)]
    first, again, other = (oracle.sample(oracle.build(work), work).result.means for work in works)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)

"""Every backend that is a row of its own: right on `ordered`, by the contract that all keep."""

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gmixbench.lab.execute import job as job_of
from gmixbench.lab.execute import run_case
from gmixbench.measured.backends import BACKENDS, load
from gmixbench.measured.points import constrained
from gmixbench.record import Failure, Run
from gmixbench.ruler.verdict import judge
from gmixbench.spec import MODELS, PROFILES, Case
from gmixbench.truth import density
from gmixbench.truth.solve import solve

pytestmark = pytest.mark.slow

ROWS = [name for name in BACKENDS if name not in {"exact", "pymc3"}]

AT_ONCE = {"numpyro-parallel", "numpyro-vectorized"}

BROKEN = {"pymc-blackjax": "got an unexpected keyword argument 'progress_bar'"}
"""Rows that PyMC itself can't run with the other library as it is installed, and what it says."""

FLOW = "nutpie-flow"
"""Trains a flow in each warm-up, for a minute or more."""


@pytest.fixture(scope="module", params=[name for name in ROWS if name not in {FLOW, *BROKEN}])
def row(request):
    _needs_compiler(request.param)
    return str(request.param)


def _needs_compiler(row):
    if row == "pymc-c" and not shutil.which("g++"):
        pytest.skip("no C++ compiler, so it is refused: see test_pymc_c.py")  # CI has one


@pytest.fixture(scope="module")
def sampled(row, make_job) -> Any:
    if row == "numpyro-parallel":  # JAX asks but once how many devices it has
        pytest.skip("needs a process where JAX has computed nothing yet: it is run as one below")
    job = make_job(row)
    backend = load(row)
    return job, backend.sample(backend.build(job), job)


@pytest.mark.parametrize("model", MODELS)
def test_density_is_the_written_one(row, model, make_job):
    job = make_job(row, model)
    backend = load(row)
    found = backend.density(backend.build(job), job.points)
    values, gradients = density.log_density(job.case.model, job.x, job.points)
    assert found.values.dtype == found.gradients.dtype == np.float64
    for one, other in ((found.values, values), (found.gradients, gradients)):
        assert np.max(np.abs(one - other) / np.maximum(1.0, np.abs(other))) <= 1e-10


def test_draws_have_the_shapes_and_counts_of_the_case(sampled):
    job, measured = sampled
    settings, draws, counters = job.case.settings, measured.result, measured.counters
    shape = (settings.chains, settings.draws)
    assert draws.means.shape == (*shape, 2)
    for statistic in (draws.energy, draws.diverging, draws.at_max_treedepth, draws.gradients):
        assert np.shape(statistic) == shape
    assert np.all(np.diff(draws.means) > 0)
    assert counters.gradients_sample == draws.gradients.sum()
    assert counters.gradients_warmup >= settings.chains * settings.warmup


def test_phases_are_told_apart(sampled, row):
    job, measured = sampled
    timing = measured.timing
    assert min(timing.compile_s, timing.warmup_s, timing.sample_s) > 0
    assert measured.counters.at_once == (job.case.settings.chains if row in AT_ONCE else 1)
    if row not in AT_ONCE:
        assert np.sum(measured.result.seconds) == pytest.approx(timing.sample_s)


def test_energy_is_that_of_the_density(sampled):
    # The momentum adds half a chi-squared variable with two degrees of freedom: it varies by 1.
    # nutpie adds the determinant of its mass matrix, which is another one in each chain.
    job, measured = sampled
    means = measured.result.means
    points = np.stack([means[..., 0], np.log(means[..., 1] - means[..., 0])], axis=-1)
    potential = -density.log_density(job.case.model, job.x, points.reshape(-1, 2))[0]
    energy, potential = measured.result.energy, potential.reshape(means.shape[:2])
    assert np.all(np.abs(np.std(energy - potential, axis=1) - 1.0) < 0.3)
    assert np.all(np.std(energy - np.roll(potential, 7, axis=1), axis=1) > 1.2)


def test_chains_start_where_the_job_says(row, make_job):
    if row == "numpyro-parallel":
        pytest.skip("its starts are those of numpyro-vectorized")
    job = make_job(row, warmup=2, draws=2, max_treedepth=1)
    backend = load(row)
    # After a few single steps a chain is still nearer to its own start than to the other's.
    means = backend.sample(backend.build(job), job).result.means[:, 0]
    starts = constrained(job.case.model, job.starts)
    distance = np.linalg.norm(means[:, None] - starts[None], axis=2)
    assert list(distance.argmin(axis=1)) == [0, 1]


@pytest.mark.parametrize("name", [name for name in ROWS if name not in BROKEN])
def test_a_row_is_valid(name, tmp_path, exact_close):
    _needs_compiler(name)
    case = Case("close", MODELS["ordered"], name, "nuts", PROFILES["quick"].nuts, seed=2)
    run = run_case(job_of(case, exact_close), tmp_path, timeout=900)
    assert isinstance(run, Run), run
    judged = judge(run, exact_close)
    assert judged.verdict.valid, judged.verdict.reasons
    told = judged.scores.metrics["seconds_per_gradient"]
    assert (told is None) == (name in AT_ONCE)


@pytest.mark.parametrize("name", BROKEN)
def test_what_pymc_can_not_run_is_a_failure_in_its_own_words(name, tmp_path, exact_close):
    case = Case("close", MODELS["ordered"], name, "nuts", PROFILES["quick"].nuts, seed=2)
    failure = run_case(job_of(case, exact_close), tmp_path, timeout=900)
    assert isinstance(failure, Failure), failure
    assert (failure.kind, failure.message[:9]) == ("exception", "TypeError")
    assert BROKEN[name] in failure.message


@pytest.fixture(scope="module")
def exact_close():
    from gmixbench.lab import datasets

    return solve(datasets.load("close").x, MODELS["ordered"])


def test_of_the_same_density_the_same_draws(make_job, monkeypatch):
    """BlackJAX draws from PyMC's density in JAX what it draws from ours, but for rounding."""
    job = make_job("blackjax")
    blackjax, pymc = load("blackjax"), load("pymc-blackjax")
    monkeypatch.setattr(pymc.pymc_in_jax, "ask_for", lambda *_: None)
    ours, theirs = (each.sample(each.build(job), job).result.means for each in (blackjax, pymc))
    np.testing.assert_allclose(ours[:, :10], theirs[:, :10], rtol=1e-6)


def test_nutpie_draws_what_a_bare_call_draws(make_job):
    """Watching it, and a first call that compiles, change nothing."""
    job = make_job("nutpie")
    backend, settings = load("nutpie"), job.case.settings
    model = backend.build(job)
    compiled = backend.nutpie.compile_pymc_model(model, backend="numba")
    starts = iter(job.starts)
    found = backend.nutpie.sample(
        replace(compiled, initial_point_func=lambda _: np.array(next(starts))),
        draws=settings.draws,
        tune=settings.warmup,
        chains=settings.chains,
        cores=1,
        seed=job.case.seed,
        target_accept=settings.target_accept,
        maxdepth=settings.max_treedepth,
        progress_bar=False,
    )
    np.testing.assert_array_equal(
        backend.sample(model, job).result.means, found["posterior"]["means"].values
    )


def test_nutpie_s_phases_end_between_callbacks(make_job):
    nutpie = load("nutpie")
    settings = make_job("nutpie", warmup=10, draws=20).case.settings
    seen = [(1.0, (5, 0)), (2.0, (15, 0)), (3.0, (30, 0)), (4.0, (30, 10)), (6.0, (30, 30))]
    warm, done = nutpie.spans(seen, 0.5, settings)
    np.testing.assert_allclose(warm, [1.0, 1.0])
    np.testing.assert_allclose(done, [1.5, 2.0])
    with pytest.raises(ValueError, match="nutpie last called back at 10 of 30 draws"):
        nutpie.spans(seen[:-1], 0.5, settings)

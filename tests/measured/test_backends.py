"""The contract of a backend, for each that measures a library."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytest

from gmixbench.measured.backends import BACKENDS, gradient_of, known_likelihoods, load
from gmixbench.measured.points import constrained
from gmixbench.record import Draws, Fit, Job
from gmixbench.spec import DATASETS, MODELS
from gmixbench.truth import density

LIBRARIES = ("pymc", "numpyro")

MakeJob = Callable[..., Job]


@pytest.fixture(scope="module", params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# What is compiled for `unordered` is the same without a transform: of it the fast tests meet the
# density.
@pytest.fixture(
    scope="module", params=["ordered", pytest.param("unordered", marks=pytest.mark.slow)]
)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def calls() -> list[int]:
    """One for each gradient that PyMC has evaluated in the draws of `sampled`."""
    return []


@pytest.fixture(scope="module")
def sampled(library: str, model: str, make_job: MakeJob, calls: list[int]) -> Any:
    job = make_job(library, model)
    backend = load(library)
    with pytest.MonkeyPatch.context() as patch:
        if library == "pymc":
            calls.clear()
            count(patch, calls)
        return job, backend.sample(backend.build(job), job)


def count(patch: pytest.MonkeyPatch, calls: list[int]) -> None:
    """Note each call of what evaluates a gradient for PyMC's NUTS."""
    from pymc.step_methods.hmc.integration import CpuLeapfrogIntegrator

    def counted(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append(1)
            return function(*arguments)

        return call

    for name in ("compute_state", "_step"):
        patch.setattr(CpuLeapfrogIntegrator, name, counted(getattr(CpuLeapfrogIntegrator, name)))


FULL_RANK = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("fullrank-matched", "fullrank-library")
]


@pytest.fixture(scope="module", params=["advi-matched", "advi-library", *FULL_RANK])
def fitted(request: pytest.FixtureRequest, library: str, model: str, make_job: MakeJob) -> Any:
    job = make_job(library, model, request.param)
    backend = load(library)
    return job, backend.fit_advi(backend.build(job), job)


def bare_pymc_draws(job: Job, model: Any) -> np.ndarray:
    import pymc as pm

    settings: Any = job.case.settings
    with model:
        trace = pm.sample(
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=1,
            init="adapt_diag",
            nuts_sampler="pymc",
            initvals=[{"means": start} for start in constrained(job.case.model, job.starts)],
            target_accept=settings.target_accept,
            max_treedepth=settings.max_treedepth,
            random_seed=job.case.seed,
            progressbar=False,
            compute_convergence_checks=False,
        )
    return trace["posterior"]["means"].values


def bare_pymc_trace(job: Job, model: Any) -> np.ndarray:
    import pymc as pm

    settings: Any = job.case.settings
    matched: dict[str, Any] = {}
    if settings.family == "full-rank":
        matched["method"] = "fullrank_advi"
        if settings.optimizer == "adam":
            pytest.skip("pm.fit takes no initial scale of it")
    elif settings.optimizer == "adam":
        name = "means_ordered__" if job.case.model.ordered else "means"
        matched = {
            "start": {"means": constrained(job.case.model, job.starts)[0]},
            "start_sigma": {name: settings.initial_scale},
            "obj_optimizer": pm.adam(learning_rate=settings.learning_rate),
        }
    with model:
        approximation = pm.fit(
            settings.steps, random_seed=job.case.seed, progressbar=False, **matched
        )
    return approximation.hist


def bare_numpyro_draws(job: Job, model: Any) -> np.ndarray:
    import jax
    from numpyro.infer import MCMC, NUTS

    settings: Any = job.case.settings
    kernel = NUTS(
        model,
        target_accept_prob=settings.target_accept,
        max_tree_depth=settings.max_treedepth,
    )
    mcmc = MCMC(
        kernel,
        num_warmup=settings.warmup,
        num_samples=settings.draws,
        num_chains=settings.chains,
        chain_method="sequential",
        progress_bar=False,
    )
    mcmc.run(jax.random.PRNGKey(job.case.seed), init_params={"means": job.starts})
    return np.asarray(mcmc.get_samples(group_by_chain=True)["means"])


def bare_numpyro_trace(job: Job, model: Any) -> np.ndarray:
    import jax
    import numpyro
    from numpyro.infer import SVI, Trace_ELBO, init_to_value
    from numpyro.infer.autoguide import AutoMultivariateNormal, AutoNormal

    settings: Any = job.case.settings
    family = AutoNormal if settings.family == "mean-field" else AutoMultivariateNormal
    if settings.optimizer == "adam":
        start = constrained(job.case.model, job.starts)[0]
        at_start = init_to_value(values={"means": start})
        guide = family(model, init_loc_fn=at_start, init_scale=settings.initial_scale)
        optimizer = numpyro.optim.Adam(settings.learning_rate)
    else:
        guide, optimizer = family(model), numpyro.optim.Adam(0.0005)
    svi = SVI(model, guide, optimizer, Trace_ELBO())
    result = svi.run(jax.random.PRNGKey(job.case.seed), settings.steps, progress_bar=False)
    return np.asarray(result.losses)


BARE_DRAWS = {"pymc": bare_pymc_draws, "numpyro": bare_numpyro_draws}

BARE_TRACE = {"pymc": bare_pymc_trace, "numpyro": bare_numpyro_trace}


def assert_agrees(found: np.ndarray, expected: np.ndarray) -> None:
    error = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    assert error.max() <= 1e-10


@pytest.mark.parametrize(
    ("name", "dataset"), [("unordered", "close"), *(("ordered", each) for each in DATASETS)]
)
def test_density_is_the_written_one(
    library: str, name: str, dataset: str, make_job: MakeJob
) -> None:
    job = make_job(library, name, dataset=dataset)
    backend = load(library)
    found = backend.density(backend.build(job), job.points)
    values, gradients = density.log_density(job.case.model, job.x, job.points)
    assert found.values.dtype == found.gradients.dtype == np.float64
    assert_agrees(found.values, values)
    assert_agrees(found.gradients, gradients)


def test_the_evaluator_gives_the_density_of_a_point(
    library: str, model: str, make_job: MakeJob
) -> None:
    job = make_job(library, model)
    backend = load(library)
    model_of = backend.build(job)
    evaluate = backend.evaluator(model_of)
    values, gradients = zip(*map(evaluate, job.points), strict=True)
    expected = backend.density(model_of, job.points)
    np.testing.assert_array_equal(np.array(values), expected.values)
    np.testing.assert_array_equal(np.array(gradients), expected.gradients)
    assert np.array(values).dtype == np.array(gradients).dtype == np.float64


def test_numpyro_s_evaluator_waits_for_what_it_gives(make_job: MakeJob) -> None:
    job = make_job("numpyro")
    backend = load("numpyro")
    many = replace(job, x=np.tile(job.x, 5000))  # long enough to be seen unfinished
    evaluate = backend.evaluator(backend.build(many))
    assert all(array.is_ready() for array in evaluate(job.points[0]))


def test_draws_have_the_shapes_and_counts_of_the_case(sampled: Any) -> None:
    job, measured = sampled
    settings, draws, counters = job.case.settings, measured.result, measured.counters
    assert isinstance(draws, Draws)
    assert draws.means.shape == (settings.chains, settings.draws, 2)
    assert draws.means.dtype == np.float64
    for statistic in (draws.energy, draws.diverging, draws.at_max_treedepth, draws.gradients):
        assert statistic is not None
        assert statistic.shape == (settings.chains, settings.draws)
    assert draws.diverging.dtype == draws.at_max_treedepth.dtype == bool
    assert counters.gradients_sample == draws.gradients.sum()
    assert counters.gradients_warmup >= settings.chains * settings.warmup


def test_phases_of_nuts_are_told_apart(sampled: Any) -> None:
    timing = sampled[1].timing
    assert min(timing.compile_s, timing.warmup_s, timing.sample_s) > 0
    assert timing.fit_s is None


def test_ordered_draws_are_ordered(sampled: Any) -> None:
    job, measured = sampled
    assert job.case.model.name == "unordered" or np.all(np.diff(measured.result.means) > 0)


def test_chains_start_where_the_job_says(library: str, model: str, make_job: MakeJob) -> None:
    job = make_job(library, model, warmup=2, draws=2, max_treedepth=1)
    backend = load(library)
    # After a few single steps a chain is still nearer to its own start than to the other's.
    means = backend.sample(backend.build(job), job).result.means[:, 0]
    starts = constrained(job.case.model, job.starts)
    distance = np.linalg.norm(means[:, None] - starts[None], axis=2)
    assert list(distance.argmin(axis=1)) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_deepest_tree_is_seen(library: str, make_job: MakeJob) -> None:
    job = make_job(library, "ordered", max_treedepth=1, draws=50)
    backend = load(library)
    draws = backend.sample(backend.build(job), job).result
    assert draws.at_max_treedepth.mean() > 0.5


def test_fit_has_the_shapes_of_the_case(fitted: Any) -> None:
    job, measured = fitted
    fit, timing = measured.result, measured.timing
    assert isinstance(fit, Fit)
    assert fit.trace.shape == (job.case.settings.steps,)
    assert fit.location.shape == (2,)
    assert fit.cholesky.shape == (2, 2)
    assert fit.means.shape == (job.case.settings.draws, 2)
    assert np.all(np.diag(fit.cholesky) > 0)
    full = job.case.settings.family == "full-rank"
    assert (fit.cholesky[1, 0] != 0) == full
    assert fit.cholesky[0, 1] == 0
    assert min(timing.compile_s, timing.fit_s) > 0
    assert timing.warmup_s is None
    assert timing.sample_s is None


def test_fit_is_told_on_the_unconstrained_scale(fitted: Any) -> None:
    job, measured = fitted
    fit = measured.result
    noise = np.random.default_rng(0).normal(size=(20_000, 2))
    expected = constrained(job.case.model, fit.location + noise @ fit.cholesky.T)
    low, middle, high = np.quantile(expected, [0.2, 0.5, 0.8], axis=0)
    median = np.median(fit.means, axis=0)
    assert np.all((low < median) & (median < high))
    assert np.all(np.abs(median - middle) < (high - low))


@pytest.mark.parametrize("method", ["advi-matched", FULL_RANK[0]])
def test_a_matched_fit_starts_at_the_job_s_start_and_scale(
    library: str, model: str, method: str, make_job: MakeJob
) -> None:
    job = make_job(library, model, method, steps=2, learning_rate=1e-6, initial_scale=0.25)
    backend = load(library)
    fit = backend.fit_advi(backend.build(job), job).result
    np.testing.assert_allclose(fit.location, job.starts[0], atol=1e-5)
    np.testing.assert_allclose(fit.cholesky, 0.25 * np.eye(2), atol=1e-4)


def test_draws_are_those_of_the_bare_library(sampled: Any, library: str) -> None:
    job, measured = sampled
    expected = BARE_DRAWS[library](job, load(library).build(job))
    np.testing.assert_array_equal(measured.result.means, expected)


@pytest.mark.slow
def test_the_fit_is_that_of_the_bare_library(fitted: Any, library: str) -> None:
    job, measured = fitted
    expected = BARE_TRACE[library](job, load(library).build(job))
    np.testing.assert_array_equal(measured.result.trace, expected)


@pytest.mark.parametrize("library", ["pymc"], indirect=True, scope="module")
def test_pymc_gradients_are_all_counted(sampled: Any, calls: list[int]) -> None:
    counters = sampled[1].counters
    assert counters.gradients_warmup + counters.gradients_sample == len(calls)


@pytest.mark.slow
def test_numpyro_compiles_ahead_of_its_phases(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jax

    job = make_job("numpyro")
    backend = load("numpyro")
    counted = importlib.import_module("gmixbench.measured.backends.in_jax").compilations
    found = []

    def block(value: Any) -> Any:
        found.append(len(counted))
        return value

    monkeypatch.setattr(jax, "block_until_ready", block)
    backend.sample(backend.build(job), job)
    # From the end of the first phase to the end of the last.
    assert len(found) == 4
    assert found[0] == found[-1]


def test_every_backend_names_its_install_command_and_its_packages() -> None:
    assert all(
        known.install.startswith(("pip install", "gmixbench")) for known in BACKENDS.values()
    )
    for name in set(BACKENDS) - {"exact", "pymc3"}:
        assert set(BACKENDS[name].packages) <= set(load(name).PACKAGES), name


@pytest.mark.parametrize("name", MODELS)
def test_the_measured_side_constrains_as_the_written_density_does(name: str) -> None:
    points = np.array([[-1.0, 0.5], [2.0, -3.0]])
    expected = density.constrain(MODELS[name], points)
    np.testing.assert_array_equal(constrained(MODELS[name], points), expected)


ELSEWHERE = [name for name in BACKENDS if gradient_of(name) != name]


def mode_of(name: str) -> object:
    """Function and mode by which a backend's gradient is compiled."""
    function: Any = load(name).evaluator
    found = inspect.getclosurevars(function).nonlocals.get("mode", pytensor.config.mode)
    return (inspect.unwrap(function), found)


@pytest.mark.parametrize("name", [name for name in ELSEWHERE if name != "pymc"])
def test_a_gradient_that_is_another_s_is_the_same_function(name: str) -> None:
    assert mode_of(name) == mode_of(gradient_of(name))


def test_gradients_differ_but_for_those() -> None:
    shipped = [name for name in BACKENDS if name not in {"pymc3", "pymc", *ELSEWHERE}]
    assert len({mode_of(name) for name in shipped}) == len(shipped)


@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "pymc3"])
def test_what_is_known_of_a_backend_is_what_it_says(name: str) -> None:
    assert BACKENDS[name].likelihoods == known_likelihoods(load(name))


def test_a_fit_has_no_chains_that_want_a_device(make_job: MakeJob) -> None:
    job = make_job("numpyro-parallel", "ordered", "advi-matched")
    assert load("numpyro-parallel").build(job)

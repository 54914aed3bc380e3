"""Pathfinder and Laplace, where a library has them, held against what is exactly known."""

import sys
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.execute import job as job_of
from gmixbench.lab.execute import run_case
from gmixbench.measured.backends import BACKENDS, FUNCTIONS, knows, load, work_of
from gmixbench.measured.points import constrained
from gmixbench.record import Failure, Fit, Run
from gmixbench.ruler.verdict import IMPOSSIBLE, judge
from gmixbench.spec import ADVI_METHODS, METHODS, MODELS, PROFILES, Case
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

pytestmark = pytest.mark.filterwarnings(
    # pymc-extras and what it needs say so of each other when they are imported.
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    # Where no BLAS is installed PyTensor compiles without one: slower, and right all the same.
    "ignore:PyTensor could not link to a BLAS installation:UserWarning",
)

ROWS = [name for name in BACKENDS if name not in {"exact", "pymc3"}]

FITS = [
    (name, method) for name in ROWS for method in ("pathfinder", "laplace") if knows(name, method)
]

QUICK = {("blackjax", "pathfinder"), ("numpyro", "laplace")}
"""Those that compile in seconds; PyTensor's linear algebra takes Numba minutes."""


SINGLE_PATH = tuple(map(int, version("pymc-extras").split(".")[:2])) >= (0, 12)
"""Whether one path can be called, which is what Python 3.11 has no pymc-extras for."""


def rows(some: list[tuple[str, str]]) -> list[Any]:
    told = [row for row in some if SINGLE_PATH or row[1] == "laplace" or "blackjax" in row[0]]
    marks = {True: (), False: pytest.mark.slow}
    return [pytest.param(*row, marks=marks[row in QUICK], id="-".join(row)) for row in told]


@pytest.fixture(scope="session")
def exact_close() -> Exact:
    return solve(datasets.load("close").x, MODELS["ordered"])


@pytest.fixture(scope="module")
def fitted(exact_close: Exact) -> Any:
    """Fit of a backend, made once."""
    made: dict[tuple[str, str, str], tuple[Any, Fit]] = {}

    def fit(name: str, method: str, model: str) -> tuple[Any, Any]:
        key = name, method, model
        if key not in made:
            settings = PROFILES["quick"].settings(method)
            job = job_of(Case("close", MODELS[model], name, method, settings, seed=1), exact_close)
            backend = load(name)
            made[key] = job, work_of(backend, job.case)(backend.build(job), job)
        return made[key]

    return fit


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("name", "method"), rows(FITS))
def test_a_fit_is_a_normal_that_its_draws_come_from(name, method, model, fitted):
    job, measured = fitted(name, method, model)
    fit = measured.result
    assert fit.trace is None
    assert fit.means.shape == (job.case.settings.draws, 2)
    points = density.unconstrain(MODELS[model], fit.means)
    standard = np.linalg.solve(fit.cholesky, (points - fit.location).T)
    # Mean and covariance of so many standard normals, each within five of its standard errors.
    error = 1 / np.sqrt(job.case.settings.draws)
    assert np.max(np.abs(standard.mean(axis=1))) < 5 * error
    assert np.max(np.abs(np.cov(standard) - np.eye(2))) < 5 * np.sqrt(2) * error


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("name", "method"), rows(FITS))
def test_no_fit_is_better_than_the_best_normal(name, method, model, fitted, exact_close):
    job, measured = fitted(name, method, model)
    judged = judge(run_of(job, measured.result, exact_close), exact_close)
    assert judged.verdict.valid, judged.verdict.reasons
    assert judged.verdict.converged is None
    assert judged.scores.metrics["gap"] > -IMPOSSIBLE
    assert judged.scores.metrics["pareto_k"] is not None
    assert (judged.scores.metrics["mode_mass"] is None) == (model == "ordered")


def run_of(job: Any, fit: Fit, exact: Exact) -> Run:
    from gmixbench.record import Counters, Density, Timing

    told = Density(job.points, *density.log_density(job.case.model, exact.x, job.points))
    return Run(job.case, Timing(), Counters(), told, fit, {})


@pytest.mark.parametrize(("name", "method"), rows(FITS))
def test_phases_are_told_apart(name, method, fitted):
    timing = fitted(name, method, "ordered")[1].timing
    assert min(timing.compile_s, timing.fit_s) > 0
    assert timing.warmup_s is timing.sample_s is None


@pytest.mark.parametrize("model", MODELS)
def test_numpyro_s_laplace_is_the_exact_one(model, fitted, exact_close):
    """From where Adam stopped a Newton step leads to the mode; the curvature is the exact one."""
    fit = fitted("numpyro", "laplace", model)[1].result
    exact = exact_close.laplace(MODELS[model])
    slope = density.log_density(MODELS[model], exact_close.x, fit.location[None])[1][0]
    covariance = exact.cholesky @ exact.cholesky.T
    step = covariance @ slope
    # What Newton leaves is of the square of his step; a curvature is off by the third derivative,
    # some hundreds here, times the step.
    far = float(np.max(np.abs(step)))
    assert far < 1e-6
    np.testing.assert_allclose(fit.location + step, exact.location, atol=1e3 * far**2 + 1e-10)
    off = np.abs(fit.cholesky @ fit.cholesky.T - covariance)
    assert np.max(off) < 1e3 * far * np.max(np.abs(covariance)) + 1e-10


@pytest.mark.slow
def test_pymc_extras_laplace_leaves_the_jacobian_out(fitted, exact_close):
    """Its mode is that of the means, moved to the unconstrained scale: pymc-extras#641."""
    fit = fitted("pymc-c", "laplace", "ordered")[1].result
    of_means = exact_close.modes[0]
    found = constrained(MODELS["ordered"], fit.location)
    np.testing.assert_allclose(found, of_means, atol=1e-4)
    assert abs(fit.location[1] - exact_close.laplace(MODELS["ordered"]).location[1]) > 0.01


@pytest.mark.slow
def test_one_path_starts_where_the_job_says(make_job):
    """With no step left to take, what is fitted is a normal at the start."""
    for model in MODELS:
        job = make_job("blackjax", model, "pathfinder", steps=1, draws=100)
        fit = load("blackjax").fit_pathfinder(load("blackjax").build(job), job).result
        slope = density.log_density(job.case.model, np.sort(job.x), job.starts[:1])[1][0]
        np.testing.assert_allclose(fit.cholesky, np.eye(2), atol=1e-6)
        # Newton's step would lead up the log density; BlackJAX 1.7.1 takes it the other way.
        np.testing.assert_allclose(fit.location - job.starts[0], -slope, rtol=1e-6)


def test_the_table_of_backends_says_what_their_modules_have():
    for name in ROWS:
        for method in METHODS:
            if method not in ADVI_METHODS:  # who has none says so when it is asked for it
                has = hasattr(load(name), FUNCTIONS[method])
                assert has == knows(name, method), (name, method)


def test_a_method_that_a_backend_has_not_is_refused(make_job):
    job = make_job("nutpie", method="laplace")
    with pytest.raises(NotImplementedError, match="nutpie has no laplace"):
        work_of(load("nutpie"), job.case)


def test_numpyro_s_laplace_sums_over_no_labels(make_job):
    job = make_job("numpyro", method="laplace", likelihood="enumerated")
    backend = load("numpyro")
    with pytest.raises(NotImplementedError, match="sums over no labels"):
        backend.fit_laplace(backend.build(job), job)


BROKEN = """
    def fit_pathfinder(model, job):
        raise TypeError("approximate() got an unexpected keyword argument 'maxcor'")
"""


def test_what_a_library_can_t_do_is_a_recorded_failure(plant, tmp_path, exact_close):
    settings = PROFILES["quick"].settings("pathfinder")
    case = Case("close", MODELS["ordered"], plant("broken", BROKEN), "pathfinder", settings)
    record = run_case(job_of(case, exact_close), tmp_path, timeout=100)
    assert isinstance(record, Failure)
    assert record.kind == "exception"
    assert record.message == (
        "TypeError: approximate() got an unexpected keyword argument 'maxcor'"
    )
    missing = Case("close", MODELS["ordered"], plant("plain"), "laplace",
                   PROFILES["quick"].settings("laplace"))  # fmt: skip
    record = run_case(job_of(missing, exact_close), tmp_path, timeout=100)
    assert isinstance(record, Failure)
    assert record.message == "NotImplementedError: planted.plain has no laplace"


def test_a_pymc_extras_without_a_single_path_says_so(make_job, monkeypatch):
    name = "pymc_extras.inference.pathfinder.single_path"
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not there
    job = make_job("pymc", "ordered", "pathfinder")
    with pytest.raises(NotImplementedError, match="lets no single path be called"):
        load("pymc").fit_pathfinder(load("pymc").build(job), job)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("name", "method"), rows(FITS))
def test_a_fit_in_a_process_of_its_own_is_valid(name, method, model, tmp_path, exact_close):
    settings = PROFILES["quick"].settings(method)
    case = Case("close", MODELS[model], name, method, settings, seed=1)
    run = run_case(job_of(case, exact_close), tmp_path, timeout=1800)
    assert isinstance(run, Run), run
    judged = judge(run, exact_close)
    assert judged.verdict.valid, judged.verdict.reasons

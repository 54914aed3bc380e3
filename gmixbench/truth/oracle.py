"""The backend `exact`: independent draws from the exact posterior, as a library would give them.

It is the physical limit of ESS per draw, the ruler's own test, and a fake that runs the whole
pipeline in a second. It wears the contract of the measured backends without importing them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmixbench.record import Counters, Density, Draws, Fit, Job, Measured, Timing
from gmixbench.spec import (
    DISCRETE,
    ENUMERATED,
    LOGSUMEXP,
    MIXTURE,
    AdviSettings,
    LaplaceSettings,
    Mixture,
    NutsSettings,
    PathfinderSettings,
    fit_settings,
)
from gmixbench.truth import density as written
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve
from gmixbench.truth.variational import Normal

PACKAGES = ("numpy", "scipy")

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED, DISCRETE)
"""The posterior of the means is the same in every form."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """A model whose posterior is solved."""

    model: Mixture
    exact: Exact


def build(job: Job) -> Oracle:
    """Solve the posterior of the job's mixture and data.

    Raises
    ------
    UnreachableError
        It is a general mixture, which has no exact posterior.
    """
    return Oracle(job.case.model, solve(job.x, job.case.model))


def evaluator(model: Oracle) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Written log density and gradient at an unconstrained point, shape (2,)."""

    def evaluate(point: np.ndarray) -> tuple[float, np.ndarray]:
        values, gradients = written.log_density(model.model, model.exact.x, point[None])
        return float(values[0]), gradients[0]

    return evaluate


def density(model: Oracle, points: np.ndarray) -> Density:
    """Written log density and gradient at unconstrained points, shape (k, 2)."""
    values, gradients = written.log_density(model.model, model.exact.x, points)
    return Density(points, values, gradients)


def sample(model: Oracle, job: Job) -> Measured:
    """Independent draws; no warm-up, no gradients, nothing to compile."""
    settings = _settings(job, NutsSettings)
    rng = np.random.default_rng(job.case.seed)
    start = time.perf_counter()
    means = model.exact.draws(model.model, settings.chains * settings.draws, rng)
    timing = Timing(compile_s=0.0, warmup_s=0.0, sample_s=time.perf_counter() - start)
    return Measured(
        Draws(means.reshape(settings.chains, settings.draws, 2)), timing, Counters(compilations=0)
    )


def fit_advi(model: Oracle, job: Job) -> Measured:
    """Best normal of the family; its trace is its own loss at every step."""
    settings = _settings(job, AdviSettings)
    best = model.exact.best_normal(model.model, settings.family)
    return _drawn(model, job, best, np.full(settings.steps, best.loss))


def fit_pathfinder(model: Oracle, job: Job) -> Measured:
    """Best normal of full rank: no path can end in a better one."""
    _settings(job, PathfinderSettings)
    return _drawn(model, job, model.exact.best_normal(model.model, "full-rank"), None)


def fit_laplace(model: Oracle, job: Job) -> Measured:
    """Laplace's normal.

    Raises
    ------
    ArithmeticError
        There is none: the density does not bend down at its mode.
    """
    _settings(job, LaplaceSettings)
    normal = model.exact.laplace(model.model)
    if normal is None:
        raise ArithmeticError("the log density does not bend down in every direction at its mode")
    return _drawn(model, job, normal, None)


def _drawn(model: Oracle, job: Job, normal: Normal, trace: np.ndarray | None) -> Measured:
    rng, draws = np.random.default_rng(job.case.seed), fit_settings(job.case).draws
    points = normal.location + rng.standard_normal((draws, 2)) @ normal.cholesky.T
    means = written.constrain(model.model, points)
    # Nothing was optimized, so there is no time to tell.
    return Measured(
        Fit(trace, normal.location, normal.cholesky, means),
        Timing(compile_s=0.0),
        Counters(compilations=0),
    )


def _settings(job: Job, kind: type) -> Any:
    if not isinstance(job.case.settings, kind):
        raise TypeError(f"{job.case.method} needs {kind.__name__}")
    return job.case.settings

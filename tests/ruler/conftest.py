"""Runs made by hand, right and wrong ones."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.points import density_points
from gmixbench.record import Counters, Density, Draws, Fit, Run, Timing
from gmixbench.spec import MODELS, PROFILES, AdviSettings, Case, NutsSettings
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

CHAINS, DRAWS = 4, 5000

MakeRun = Callable[..., Run]


@cache
def _solved(name: str) -> Exact:
    return solve(datasets.load(name).x, MODELS["ordered"])


@pytest.fixture(scope="session")
def solved() -> Callable[[str], Exact]:
    """Exact posterior of a data set, solved once."""
    return _solved


def _density(exact: Exact, model: str) -> Density:
    points = density_points(exact, MODELS[model])
    return Density(points, *density.log_density(MODELS[model], exact.x, points))


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """Run of a model on a data set with given means, or independent draws of `seed`."""

    def make(
        model: str = "ordered",
        dataset: str = "close",
        *,
        means: np.ndarray | None = None,
        measured: Density | None = None,
        chains: int = CHAINS,
        draws: int = DRAWS,
        seed: int = 0,
        **sampler: Any,
    ) -> Run:
        exact = _solved(dataset)
        if means is None:
            rng = np.random.default_rng(seed)
            means = exact.draws(MODELS[model], chains * draws, rng).reshape(chains, draws, 2)
        case = Case(dataset, MODELS[model], "exact", "nuts", NutsSettings(chains, 0, draws))
        return Run(
            case,
            Timing(build_s=0.5, compile_s=2.0, warmup_s=1.0, sample_s=4.0),
            Counters(gradients_warmup=100, gradients_sample=8000),
            measured or _density(exact, model),
            Draws(means, **sampler),
            {},
        )

    return make


@pytest.fixture(scope="session")
def make_fit() -> MakeRun:
    """Run of ADVI that ended in a normal of given location and scale; the best one if not given."""

    def make(
        model: str = "ordered",
        dataset: str = "close",
        *,
        location: Any = None,
        scale: Any = None,
        trace: np.ndarray | None = None,
    ) -> Run:
        exact = _solved(dataset)
        best = exact.best_normal(MODELS[model], "mean-field")
        fit = Fit(
            np.full(2000, best.loss) if trace is None else trace,
            best.location if location is None else np.asarray(location),
            best.cholesky if scale is None else np.diag(scale),
            np.zeros((10, 2)),
        )
        case = Case(dataset, MODELS[model], "exact", "advi-matched", AdviSettings())
        timing = Timing(build_s=0.1, compile_s=1.0, fit_s=2.0)
        return Run(case, timing, Counters(), _density(exact, model), fit, {})

    return make


@pytest.fixture(scope="session")
def make_normal() -> MakeRun:
    """Run that ended in a normal of given location and factor, with draws from it.

    `said` multiplies the factor that is told, and not the one that is drawn with.
    """

    def make(
        location: np.ndarray,
        cholesky: np.ndarray,
        model: str = "ordered",
        method: str = "pathfinder",
        *,
        said: float = 1.0,
        draws: int = 10_000,
    ) -> Run:
        standard = np.random.default_rng(0).normal(size=(draws, 2))
        means = density.constrain(MODELS[model], location + standard @ cholesky.T)
        case = Case("close", MODELS[model], "exact", method, PROFILES["quick"].settings(method))
        fit = Fit(None, location, said * cholesky, means)
        return Run(case, Timing(fit_s=0.1), Counters(), _density(_solved("close"), model), fit, {})

    return make


@pytest.fixture(scope="session")
def tampered() -> Callable[..., Density]:
    """Density of a run, altered by a function of (points, values, gradients)."""

    def alter(run: Run, change: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Density:
        was = run.density
        values, gradients = change(was.points, was.values.copy(), was.gradients.copy())
        return replace(was, values=values, gradients=gradients)

    return alter

"""Judged runs made up for the report: sound, stuck, broken and failed ones, in milliseconds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from gmixbench.record import Counters, Density, Draws, Failure, Fit, Run, Timing
from gmixbench.ruler.metrics import METRICS, Scores
from gmixbench.ruler.verdict import Judged, Verdict
from gmixbench.spec import MODELS, AdviSettings, Case, Mixture, NutsSettings
from gmixbench.truth.exact import Exact, solve

ENVIRONMENT = {"gmixbench": "0.1.0", "python": "3.13.0", "arviz-stats": "1.3.3", "cpu": "a CPU"}


@cache
def exact_of(distance: float = 2.0, n: int = 100) -> Exact:
    """Exact posterior of made-up data whose components stand so far apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(distance * (rng.integers(0, 2, n) - 0.5), 1)
    return solve(x, MODELS["unordered"])


def chain(
    exact: Exact, model: Mixture, draws: int, crossings: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """One chain, (draws, 2): a slow walk inside a mode that changes modes at a rate per draw."""
    walk = rng.normal(size=(draws, 2))
    for t in range(1, draws):
        walk[t] = 0.4 * walk[t - 1] + np.sqrt(1 - 0.16) * walk[t]
    margins = (exact.smaller, exact.larger)
    means = np.stack([m.mean + m.sd * walk[:, i] for i, m in enumerate(margins)], axis=1)
    means = np.sort(means, axis=1)
    if model.ordered:
        return means
    mirrored = (rng.random() < 0.5) ^ (np.cumsum(rng.random(draws) < crossings) % 2 == 1)
    return np.where(mirrored[:, None], means[:, ::-1], means)


def _scores(case: Case, values: dict[str, float | None], occupancy: object = None) -> Scores:
    metrics: dict[str, float | None] = dict.fromkeys(METRICS)
    metrics.update(values)
    return Scores(case=case, metrics=metrics, occupancy=occupancy)  # type: ignore[arg-type]


def _run(case: Case, result: Draws | Fit) -> Run:
    density = Density(np.zeros((1, 2)), np.zeros(1), np.zeros((1, 2)))
    versions = {"python": "3.13.0", case.backend: "6.4.0", "numpy": "2.4.0"}
    return Run(case, Timing(), Counters(), density, result, versions, ("a named shim",))


def nuts_run(
    exact: Exact,
    model: str = "unordered",
    backend: str = "pymc",
    *,
    chains: int = 4,
    draws: int = 1000,
    crossings: float = 0.0,
    valid: bool = True,
    seed: int = 0,
    dataset: str = "close",
) -> Judged:
    """A judged NUTS run; with no crossings its labels are stuck."""
    rng = np.random.default_rng([seed, len(backend)])
    settings = NutsSettings(chains=chains, draws=draws)
    case = Case(dataset, MODELS[model], backend, "nuts", settings, seed=seed)
    means = np.stack([chain(exact, case.model, draws, crossings, rng) for _ in range(chains)])
    if not valid:
        means += 0.4
    occupancy = tuple(float(share) for share in (means[..., 1] > means[..., 0]).mean(axis=1))
    off = max(abs(share - 0.5) for share in occupancy)
    ess = 0.43 * chains * draws
    values = {
        "draws_per_second": 2345.6, "ess_per_second": 1008.0, "time_to_ess_1000": 9.87,
        "ess_bulk": ess, "ess_tail": 0.9 * ess, "bias_z": 14.2 if not valid else 1.71,
        "rhat": _rhat(means), "rhat_relabelled": _rhat(np.sort(means, axis=-1)),
        "occupancy_error": None if model == "ordered" else off,
        "mode_switches": None if model == "ordered" else 1000 * crossings,
        "divergences": 0.0, "compile_s": 4.21,
    }  # fmt: skip
    verdict = Verdict(
        valid=valid,
        labels=None if model == "ordered" else ("stuck" if off > 0.2 else "mixed"),
        converged=None,
        reasons=() if valid else ("bias_z is 14.2, above its bound of 4.5",),
    )
    return Judged(_run(case, Draws(means)), _scores(case, values, occupancy), verdict)


def _rhat(means: NDArray[np.float64]) -> float:
    return float(max(array_stats.rhat(means[..., i], chain_axis=0, draw_axis=1) for i in range(2)))


def advi_run(
    exact: Exact,
    model: str = "unordered",
    backend: str = "pymc",
    method: str = "advi-matched",
    *,
    steps: int = 15000,
    dataset: str = "close",
) -> Judged:
    """A judged ADVI fit: the best mean-field normal, its trace wandering down to its loss."""
    rng = np.random.default_rng(len(backend) + len(method))
    optimizer = "adam" if method == "advi-matched" else "library"
    case = Case(dataset, MODELS[model], backend, method, AdviSettings(steps, optimizer=optimizer))
    best = exact.best_mean_field(case.model)
    wander = 0.05 * np.cumsum(rng.normal(size=steps)) / np.sqrt(steps)
    descent = 60 * np.exp(-np.arange(steps) / 900)
    trace = best.loss + 0.02 + descent + wander + rng.normal(0, 0.8, steps)
    means = best.location + best.scale * rng.normal(size=(10000, 2))
    if case.model.ordered:
        means[:, 1] = means[:, 0] + np.exp(means[:, 1])
    gap = 0.0123 if method == "advi-matched" else 0.0812
    values = {
        "loss": best.loss + gap, "gap": gap, "kl": best.loss + gap + exact.log_evidence(case.model),
        "average_loss": best.loss + 0.05, "steps_per_second": 4321.0, "compile_s": 3.2,
        "steps_to_converge": 6210.0,
    }  # fmt: skip
    verdict = Verdict(valid=True, labels=None, converged=gap < 0.05, reasons=())
    fit = Fit(trace, best.location, best.scale, means)
    return Judged(_run(case, fit), _scores(case, values), verdict)


def whole(exact: Exact, *, draws: int = 1000, dataset: str = "close") -> list[Judged]:
    """The twelve cases of `gmixbench run`."""
    results = []
    for model in ("unordered", "ordered"):
        for backend in ("pymc", "numpyro"):
            crossings = 0.0 if backend == "pymc" else 0.02
            results.append(
                nuts_run(
                    exact, model, backend, draws=draws, crossings=crossings, dataset=dataset
                )
            )
        for method in ("advi-matched", "advi-library"):
            results += [
                advi_run(exact, model, backend, method, dataset=dataset)
                for backend in ("pymc", "numpyro")
            ]
    return results


def failure(dataset: str = "close") -> Failure:
    """A case that broke, with a message that HTML must not take for markup."""
    case = Case(dataset, MODELS["unordered"], "numpyro", "nuts")
    return Failure(case, "exception", "<script>alert(1)</script> no such argument", "Traceback ...")


def break_draws(judged: Judged, change: Callable[[NDArray[np.float64]], object]) -> Judged:
    """The same run with its draws spoilt in place, and judged invalid for it."""
    means = np.array(judged.run.result.means)
    change(means)
    run = replace(judged.run, result=replace(judged.run.result, means=means))
    verdict = replace(judged.verdict, valid=False, reasons=("draws are not finite",))
    return replace(judged, run=run, verdict=verdict)


@pytest.fixture(scope="session")
def exact() -> Exact:
    """Exact posterior of a data set whose modes stand close."""
    return exact_of()


@pytest.fixture(scope="session")
def results(exact: Exact) -> Sequence[Judged]:
    """The twelve cases of `gmixbench run`, the first of them invalid, one more stuck."""
    all_cases = whole(exact)
    all_cases[0] = nuts_run(exact, "unordered", "pymc", valid=False)
    return all_cases

"""From long runs of several libraries to a reference, or why they make none."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from gmixbench.record import Draws, Run
from gmixbench.ruler import diagnostics
from gmixbench.ruler.arviz import array_stats
from gmixbench.ruler.score import density_metrics, quantities_of
from gmixbench.ruler.verdict import density_faults, limit
from gmixbench.truth import density
from gmixbench.truth.known import LOG_DENSITY, PROBABILITIES, Figure, Known
from gmixbench.truth.reference import Margin, Place, Reference

LARGEST_RHAT = 1.001
"""R-hat of each quantity over all chains of all libraries, above which there is no reference.

A tenth of what Vehtari et al. (2021) ask for: a reference is to be ten times as good as a run."""

LEAST_ESS = 50_000.0
"""Bulk and tail ESS of each quantity below which there is no reference. Against a run of ESS 4,000
its error adds at most sqrt(1 + 4/50) - 1 = 4 % to the standard error of a mean."""

LEAST_LIBRARIES = 2
"""Libraries that must agree: what one gets wrong by itself is seen."""

EVEN = 128
"""Points of a margin."""

TAIL = 1e-5
"""Share of the draws beyond a margin's ends."""


class UncertifiedError(ValueError):
    """Long runs that make no reference; the message says why, and what to do."""


def certify(place: Place, runs: Sequence[Run]) -> Reference:
    """Reference of what all runs drew together.

    Parameters
    ----------
    place : where the posterior lies, with its data and model
    runs : long NUTS runs there, of at least two libraries

    Raises
    ------
    UncertifiedError
        A density is not the model's, there are divergences, R-hat is too large, ESS too small, or
        libraries disagree by more than their standard errors allow.
    """
    drawn = [run.result for run in runs if isinstance(run.result, Draws)]
    each = [quantities_of(draws, place) for draws in drawn]
    pooled = {name: np.concatenate([some[name] for some in each]) for name in each[0]}
    rhat = max(map(diagnostics.rhat, pooled.values()))
    ess = min(min(diagnostics.ess_bulk(x), diagnostics.ess_tail(x)) for x in pooled.values())
    apart, bound = _disagreement(each)
    told = [*_faults(place, runs), *_doubts(rhat, ess, apart, bound)]
    if told:
        raise UncertifiedError(f"no reference of {place.model.name}: {'; '.join(told)}")
    figures = tuple(_known(name, x) for name, x in pooled.items())
    margins = {name: _margin(x) for name, x in pooled.items() if name != LOG_DENSITY}
    made = {
        "runs": [_told(run) for run in runs],
        "rhat": rhat,
        "ess": ess,
        "disagreement_z": apart,
        "disagreement_limit": bound,
    }
    return Reference(place.x, place.model, place.peak, place.spread, figures, margins, made)


def _faults(place: Place, runs: Sequence[Run]) -> Iterator[str]:
    backends = {run.case.backend for run in runs}
    if len(backends) < LEAST_LIBRARIES:
        yield f"{len(backends)} backend, {LEAST_LIBRARIES} must agree: give --backend twice"
    for run in runs:
        name, draws = run.case.backend, run.result
        if run.density is None:
            yield f"{name} tells no density"
        else:
            told = density_metrics(place.model, place.x, run.density)
            faults = density_faults(told, _height(place), run.shims)
            yield from (f"{name}: {fault}" for fault in faults)
        diverged = _divergences(draws) if isinstance(draws, Draws) else None
        if diverged is None:
            yield f"{name} does not tell of divergences"
        elif diverged:
            yield f"{diverged} divergences of {name}: a higher --target-accept"


def _divergences(draws: Draws) -> int | None:
    return None if draws.diverging is None else int(np.sum(draws.diverging))


def _height(place: Place) -> float:
    return float(place.log_joint(density.constrain(place.model, place.peak[None]))[0])


def _doubts(rhat: float, ess: float, apart: float, bound: float) -> Iterator[str]:
    if not rhat <= LARGEST_RHAT:
        yield f"R-hat {rhat:.5f} exceeds {LARGEST_RHAT}"
    if not ess >= LEAST_ESS:
        yield f"ESS {ess:,.0f}, {LEAST_ESS:,.0f} are needed: more --draws"
    if not apart <= bound:
        yield f"libraries are {apart:.1f} standard errors apart, limit {bound:.1f}"


def _disagreement(each: Sequence[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Largest distance of two runs' figures, in their standard errors, and its limit."""
    z, least, count = 0.0, math.inf, 0
    for k, some in enumerate(each):
        for other in each[:k]:
            for name in some:
                for one, two in zip(_all(some[name]), _all(other[name]), strict=True):
                    z = max(z, abs(one.value - two.value) / math.hypot(one.error, two.error))
                    count += 1
    for some in each:
        least = min(least, *(diagnostics.ess_tail(x) for x in some.values()))
    return z, limit(max(count, 1), least)


def _all(x: np.ndarray) -> tuple[Figure, ...]:
    known = _known("", x)
    return known.mean, known.sd, *known.quantiles.values()


def _known(name: str, x: np.ndarray) -> Known:
    return Known(
        name,
        Figure(float(x.mean()), diagnostics.mcse_mean(x)),
        Figure(float(x.std(ddof=1)), diagnostics.mcse_sd(x)),
        {}
        if name == LOG_DENSITY
        else {
            p: Figure(float(np.quantile(x, p)), diagnostics.mcse_quantile(x, p))
            for p in PROBABILITIES
        },
    )


def _margin(x: np.ndarray) -> Margin:
    low, high = np.quantile(x, [TAIL, 1 - TAIL])
    at, density, _ = array_stats().kde(x.ravel(), bound_correction=False, grid_len=4 * EVEN)
    even = np.linspace(low, high, EVEN)
    return Margin(np.round(even, 6), np.round(np.interp(even, at, density), 6))


def _told(run: Run) -> dict[str, object]:
    settings, draws = run.case.settings, run.result
    versions = {
        name: version
        for name, version in run.environment.items()
        if name in {"python", "numpyro", "jax", "pymc", "nutpie", "blackjax", "numba"}
    }
    return {
        "backend": run.case.backend,
        "seed": run.case.seed,
        "settings": asdict(settings),
        "versions": versions,
        "divergences": _divergences(draws) if isinstance(draws, Draws) else None,
    }

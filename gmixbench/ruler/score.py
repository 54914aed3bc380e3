"""The ruler: metrics of a run, computed outside what was measured, by one pinned ArviZ."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr

from gmixbench.record import Density, Draws, Fit, Run, Timing
from gmixbench.ruler import diagnostics
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import Case, Mixture, family_of
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.known import LOG_DENSITY, Figure, Known, label_invariant
from gmixbench.truth.reference import Place, Reference
from gmixbench.truth.variational import normal_loss

Posterior = Exact | Reference
"""What a run is judged by: the exact posterior, or the reference that stands in for it."""

WINDOW = 500
"""Steps of the running mean that tells when ADVI has converged."""

CLOSE_ENOUGH = 0.1
"""Nats from its last value within which that running mean must stay."""


@dataclass(frozen=True)
class Check:
    """One estimate held against the posterior; z counts its distance in MCSE.

    Where a reference stands in for the exact posterior, its `error` is part of the distance's unit:
    sqrt(MCSE^2 + error^2).
    """

    name: str
    estimate: float
    exact: float
    mcse: float
    z: float
    error: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """Bulk and tail ESS of one label-invariant quantity."""

    name: str
    bulk: float
    tail: float

    @property
    def ess(self) -> float:
        """The lesser of the two."""
        return min(self.bulk, self.tail)


@dataclass(frozen=True)
class Chain:
    """Mode occupancy of one chain: share of m2 > m1, switches, and the indicator's MCSE and ESS."""

    occupancy: float
    switches: int
    mcse: float
    ess: float


@dataclass(frozen=True)
class Scores:
    """Metrics of a run, by name in `METRICS`; `None` where one has no meaning or is not told."""

    case: Case
    metrics: dict[str, float | None]
    checks: tuple[Check, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    chains: tuple[Chain, ...] = ()

    @property
    def finite(self) -> dict[str, float | None]:
        """Metrics as JSON can hold them: `None` in place of an infinity or NaN."""
        return {
            name: None if value is None or not math.isfinite(value) else float(value)
            for name, value in self.metrics.items()
        }


def score(run: Run, exact: Posterior) -> Scores:
    """Metrics of a run against the posterior of its data set.

    Nothing is sampled here: the same run gives the same scores at any time.
    """
    metrics: dict[str, float | None] = dict.fromkeys(METRICS)
    if run.density is not None:
        metrics.update(density_metrics(run.case.model, exact.x, run.density))
    metrics.update(_timing(run.timing))
    if isinstance(run.result, Fit):
        if not isinstance(exact, Exact):
            raise TypeError(f"no loss is known of {run.case.model.name}: its fits can't be judged")
        metrics.update(_fit(run, run.result, exact))
        return Scores(run.case, metrics)
    draws = run.result
    if not np.all(np.isfinite(draws.parameters)):
        return Scores(run.case, metrics)
    quantities = quantities_of(draws, exact)
    evidence = tuple(
        Evidence(name, diagnostics.ess_bulk(value), diagnostics.ess_tail(value))
        for name, value in quantities.items()
    )
    checks = tuple(
        check for known in exact.known() for check in _checks(quantities[known.name], known)
    )
    chains = () if run.case.model.ordered else tuple(map(_chain, draws.means))
    metrics.update(_nuts(run, draws, evidence))
    metrics["bias_z"] = max(check.z for check in checks)
    metrics.update(_labels(draws, chains))
    return Scores(run.case, metrics, checks, evidence, chains)


def quantities_of(draws: Draws, exact: Exact | Place) -> dict[str, np.ndarray]:
    """Label-invariant quantities and log density of each draw, each of shape (chains, draws)."""
    parameters = draws.parameters
    log_density = exact.log_joint(parameters.reshape(-1, parameters.shape[-1]))
    return {
        **label_invariant(parameters),
        LOG_DENSITY: log_density.reshape(parameters.shape[:2]),
    }


def density_metrics(model: Mixture, x: np.ndarray, measured: Density) -> dict[str, float | None]:
    """`density_error` and `density_constant` of what a library computed on the data `x`."""
    values, gradients = density.log_density(model, x, measured.points)
    with np.errstate(invalid="ignore"):
        constant = float(np.median(measured.values - values))
        errors = np.concatenate(
            [
                np.abs(measured.values - constant - values) / np.maximum(1.0, np.abs(values)),
                (
                    np.abs(measured.gradients - gradients) / np.maximum(1.0, np.abs(gradients))
                ).ravel(),
            ]
        )
    return {
        "density_error": float(errors.max()) if np.all(np.isfinite(errors)) else math.inf,
        "density_constant": abs(constant),
    }


def _timing(timing: Timing) -> dict[str, float | None]:
    return {name: getattr(timing, name) for name in (item.name for item in fields(Timing))}


def _checks(x: np.ndarray, known: Known) -> Iterator[Check]:
    name, sd = known.name, float(x.std(ddof=1))
    yield _check(f"mean of the {name}", float(x.mean()), known.mean, diagnostics.mcse_mean(x))
    yield _check(f"sd of the {name}", sd, known.sd, diagnostics.mcse_sd(x))
    for p, figure in known.quantiles.items():
        told = f"{p:.0%} quantile of the {name}"
        yield _check(told, float(np.quantile(x, p)), figure, diagnostics.mcse_quantile(x, p))


def _check(name: str, estimate: float, figure: Figure, mcse: float) -> Check:
    spread = math.hypot(mcse, figure.error)
    distance = abs(estimate - figure.value)
    z = distance / spread if spread > 0 and math.isfinite(distance) else math.inf
    return Check(name, estimate, figure.value, mcse, z, figure.error)


def _chain(means: np.ndarray) -> Chain:
    upper = (means[:, 1] > means[:, 0]).astype(float)
    switches = int(np.count_nonzero(np.diff(upper)))
    if switches == 0:
        return Chain(float(upper.mean()), 0, math.nan, 0.0)
    return Chain(
        float(upper.mean()),
        switches,
        diagnostics.mcse_mean(upper[None]),
        diagnostics.ess_mean(upper[None]),
    )


def _nuts(run: Run, draws: Draws, evidence: tuple[Evidence, ...]) -> dict[str, float | None]:
    timing, gradients = run.timing, run.counters.gradients_sample
    ess_bulk = min(quantity.bulk for quantity in evidence)
    ess_tail = min(quantity.tail for quantity in evidence)
    ess = min(ess_bulk, ess_tail)
    ess_per_second = _ratio(ess, timing.sample_s)
    count = draws.means.shape[0] * draws.means.shape[1]
    relabelled = label_invariant(draws.parameters).values()
    return {
        "draws_per_second": _ratio(count, timing.sample_s),
        "ess_bulk": ess_bulk,
        "ess_tail": ess_tail,
        "ess_per_second": ess_per_second,
        "ess_per_gradient": _ratio(ess, gradients),
        # Chains that run at once evaluate several gradients in a second of theirs.
        "seconds_per_gradient": (
            _ratio(timing.sample_s, gradients) if run.counters.at_once == 1 else None
        ),
        "gradient_s": timing.gradient_s,
        "time_to_ess_1000": _sum(
            timing.build_s, timing.compile_s, timing.warmup_s, _ratio(1000.0, ess_per_second)
        ),
        "rhat": max(map(diagnostics.rhat, np.moveaxis(draws.parameters, -1, 0))),
        "rhat_relabelled": max(map(diagnostics.rhat, relabelled)),
        "divergences": _told(draws.diverging, np.sum),
        "max_treedepth_share": _told(draws.at_max_treedepth, np.mean),
        "ebfmi": _told(draws.energy, diagnostics.ebfmi),
        "gradients_warmup": run.counters.gradients_warmup,
        "gradients_sample": gradients,
    }


def _labels(draws: Draws, chains: tuple[Chain, ...]) -> dict[str, float | None]:
    if not chains:
        return {}
    count = draws.means.shape[0] * draws.means.shape[1]
    occupancy = [chain.occupancy for chain in chains]
    return {
        "mode_switches": 1000.0 * sum(chain.switches for chain in chains) / count,
        "mode_occupancy": float(np.mean(occupancy)),
        "occupancy_error": max(abs(share - 0.5) for share in occupancy),
    }


def _fit(run: Run, fit: Fit, exact: Exact) -> dict[str, float | None]:
    model = run.case.model
    best = exact.best_normal(model, family_of(run.case))
    loss, _ = normal_loss(model, exact.x, fit.location, fit.cholesky)
    return {
        **({} if fit.trace is None else _trace(fit.trace, run.timing.fit_s)),
        "loss": loss,
        "gap": loss - best.loss,
        "kl": loss + exact.log_evidence(model),
        "mode_mass": None if model.ordered else mode_mass(fit.location, fit.cholesky),
        "pareto_k": fit_pareto_k(model, exact.x, fit) if math.isfinite(loss) else None,
    }


def _trace(trace: np.ndarray, fit_s: float | None) -> dict[str, float | None]:
    return {
        "steps_per_second": _ratio(len(trace), fit_s),
        "average_loss": float(np.mean(trace[-max(1, len(trace) // 10) :])),
        "steps_to_converge": steps_to_converge(trace),
    }


def mode_mass(location: np.ndarray, cholesky: np.ndarray) -> float:
    """Mass of m2 > m1 under a normal of both means: their difference is a normal too."""
    along = cholesky[1] - cholesky[0]
    return float(ndtr((location[1] - location[0]) / np.linalg.norm(along)))


def fit_pareto_k(model: Mixture, x: np.ndarray, fit: Fit) -> float | None:
    """Pareto k of a fit's draws; `None` where they have no tail, or some are not finite."""
    ordered = not model.ordered or bool(np.all(fit.means[:, 0] < fit.means[:, 1]))
    if not (np.all(np.isfinite(fit.means)) and ordered):
        return None
    points = density.unconstrain(model, fit.means)
    standard = np.linalg.solve(fit.cholesky, (points - fit.location).T)
    # Up to a constant, which ratios don't need.
    log_q = -0.5 * np.sum(standard**2, axis=0)
    k = diagnostics.pareto_k(density.log_density(model, x, points)[0] - log_q)
    return k if math.isfinite(k) else None


def steps_to_converge(trace: np.ndarray) -> float | None:
    """First step after which the running mean stays close to its last value; `None` if too short.

    A step is counted where the window that ends at it is full.
    """
    if len(trace) < WINDOW or not np.all(np.isfinite(trace)):
        return None
    total = np.concatenate([[0.0], np.cumsum(trace - trace[-1])])
    running = (total[WINDOW:] - total[:-WINDOW]) / WINDOW
    away = np.flatnonzero(np.abs(running - running[-1]) > CLOSE_ENOUGH)
    return float(WINDOW + (away[-1] + 1 if len(away) else 0))


def _told(values: np.ndarray | None, statistic: Callable[[np.ndarray], float]) -> float | None:
    return None if values is None else float(statistic(values))


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _sum(*terms: float | None) -> float | None:
    known = [term for term in terms if term is not None]
    return sum(known) if len(known) == len(terms) else None

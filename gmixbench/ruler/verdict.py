"""Whether a run may be believed: valid or not, and what became of its labels."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from gmixbench.record import Draws, Run
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import Chain, Posterior, Scores, score
from gmixbench.spec import ADVI_METHODS, family_of
from gmixbench.truth.exact import Exact

FAMILYWISE = 0.001
"""Probability that a right run is called invalid by any of its checks."""

DENSITY_TOLERANCE = 1e-10
"""Largest relative difference from the written density in float64."""

LEAST_ESS = 400.0
"""ESS of each label-invariant quantity below which there is not enough evidence (Vehtari 2021)."""

LEAST_INDICATOR_ESS = 100.0
"""ESS of a chain's mode indicator below which its occupancy is not tested."""

NOISE = 12.0
"""How much the limit of z grows with noise in the MCSE: z (1 + NOISE / sqrt(ESS)).

ArviZ estimates the MCSE from the draws themselves, so z has heavier tails than a normal. Measured
on the exact backend by benchmarks/calibrate.py.
"""

CONVERGED = 0.05
"""Gap in nats below which ADVI has converged."""

IMPOSSIBLE = 1e-6
"""Nats by which a loss may lie below the best possible one, for rounding."""

BIAS, EVIDENCE = "bias: ", "not enough evidence: "
"""How reasons begin that a right sampler may give once in a while: by `FAMILYWISE`, or in a run
whose chains were slow."""

BY_DRAWS = "judged by the draws of the means alone: sampled labels leave no density to hold"
"""Said of each run without a density."""

REMARKS = ("labels ", "ADVI has not converged", BY_DRAWS)
"""How reasons begin that don't make a run invalid."""

CONSTANT_SHIM = "density-constant"
"""Name of a backend's shim that explains a constant in its log density."""


@dataclass(frozen=True)
class Verdict:
    """Judgement of a run.

    `valid` alone decides whether speed is shown. `labels` is "mixed", "stuck" or "undecided" for
    draws of `unordered`, else `None`. `converged` is told of ADVI alone. `reasons` say why a run is
    invalid, or stuck, or undecided, and what was not there to be judged.
    """

    valid: bool
    labels: str | None
    converged: bool | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """A run with its scores and its verdict; an invalid run's scores show no speed."""

    run: Run
    scores: Scores
    verdict: Verdict


def judge(run: Run, exact: Posterior) -> Judged:
    """Score a run and judge it against the posterior of its data set."""
    with np.errstate(divide="ignore", invalid="ignore"):  # draws that do not vary have no ESS
        scores = score(run, exact)
    faults = [*certain_faults(run, scores, exact), *_bias_faults(scores)]
    labels, remarks = None, list[str]()
    converged = None
    if scores.chains:
        labels, remarks = judge_labels(scores.chains)
    if run.case.method in ADVI_METHODS:
        gap = scores.metrics["gap"]
        converged = gap is not None and gap < CONVERGED
        if not converged:
            remarks = [f"ADVI has not converged: gap {gap:.3g} nats is not below {CONVERGED}"]
    if run.density is None:
        remarks = [*remarks, BY_DRAWS]
    valid = not faults
    shown = scores if valid else replace(scores, metrics=_without_speed(scores.metrics))
    return Judged(run, shown, Verdict(valid, labels, converged, (*faults, *remarks)))


def certain_faults(run: Run, scores: Scores, exact: Posterior) -> list[str]:
    """What is wrong with a run beyond any chance: its density, draws that can't be, or its loss."""
    told = _loss_faults(scores, exact) if isinstance(exact, Exact) else iter(())
    if isinstance(run.result, Draws):
        told = _draws_faults(run)
    return [*_density_faults(run, scores, exact), *told]


def limit(count: int, ess: float, familywise: float = FAMILYWISE) -> float:
    """Largest z that any of `count` two-sided checks may reach, at the familywise level.

    Bonferroni's bound of the normal quantile, widened by the noise of an MCSE that is itself
    estimated from draws of effective sample size `ess`.
    """
    return -float(ndtri(familywise / (2 * count))) * (1 + NOISE / math.sqrt(max(ess, 1.0)))


def by_chance(reasons: Iterable[str]) -> bool:
    """Whether a right sampler's run may be invalid for no other reasons than these."""
    return all(reason.startswith((BIAS, EVIDENCE, *REMARKS)) for reason in reasons)


def thin(reasons: Iterable[str]) -> bool:
    """Whether a run has too little evidence, so that a bias of it tells nothing, and no more."""
    told = [*reasons]
    return by_chance(told) and any(reason.startswith(EVIDENCE) for reason in told)


def judge_labels(chains: tuple[Chain, ...]) -> tuple[str, list[str]]:
    """What became of the labels, and why, from each chain's occupancy of the exact half."""
    stuck = [k for k, chain in enumerate(chains, 1) if chain.switches == 0]
    if stuck:
        why = f"no mode switch in {_chains(stuck)} (of {len(chains)})"
        return "stuck", [f"labels stuck: {why}"]
    thin = [k for k, chain in enumerate(chains, 1) if chain.ess < LEAST_INDICATOR_ESS]
    if thin:
        least = min(chain.ess for chain in chains)
        why = f"mode indicator has ESS {least:.0f} in a chain, {LEAST_INDICATOR_ESS:.0f} are needed"
        return "undecided", [f"labels undecided: {why}"]
    for k, chain in enumerate(chains, 1):
        z = abs(chain.occupancy - 0.5) / chain.mcse
        if z > limit(len(chains), chain.ess):
            why = f"chain {k} has occupancy {chain.occupancy:.3f}, {z:.1f} MCSE from 1/2"
            return "undecided", [f"labels undecided: {why}"]
    return "mixed", []


def _chains(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"chains {', '.join(others)} and {last}" if others else f"chain {last}"


def _density_faults(run: Run, scores: Scores, exact: Posterior) -> Iterator[str]:
    if run.density is None:
        return
    yield from density_faults(scores.metrics, float(exact.log_density), run.shims)


def density_faults(
    metrics: Mapping[str, float | None], log_density: float, shims: Sequence[str]
) -> Iterator[str]:
    """What is wrong with a library's density.

    Parameters
    ----------
    metrics : `density_error` and `density_constant`
    log_density : a usual one in nats, whose size sets what rounding makes of a constant
    shims : of the backend; one may say why there is a constant
    """
    error, constant = metrics["density_error"], metrics["density_constant"]
    if error is None or not error <= DENSITY_TOLERANCE:
        yield (
            f"density_error {error:.2g} exceeds {DENSITY_TOLERANCE:g}: log density or gradient is "
            "not the model's"
        )
    small = constant is not None and abs(constant) <= DENSITY_TOLERANCE * max(1.0, abs(log_density))
    if not small and CONSTANT_SHIM not in shims:
        yield f"density_constant {constant:.6g} nats is not zero and no shim says why"


def _draws_faults(run: Run) -> Iterator[str]:
    means, drawn = run.result.means, run.result
    if not np.all(np.isfinite(drawn.parameters if isinstance(drawn, Draws) else means)):
        yield "some draws are not finite"
    elif run.case.model.ordered and np.any(means[..., 0] > means[..., 1]):
        yield "some draws are not in order"


def _bias_faults(scores: Scores) -> Iterator[str]:
    if not scores.evidence:  # of ADVI, and of draws that are not finite
        return
    for evidence in scores.evidence:
        if not evidence.ess >= LEAST_ESS:
            yield (
                f"{EVIDENCE}ESS {evidence.ess:.0f} of the {evidence.name}, "
                f"{LEAST_ESS:.0f} are needed"
            )
    least = min(evidence.ess for evidence in scores.evidence)
    bound = limit(len(scores.checks), least if math.isfinite(least) else 0.0)
    beyond = [check for check in scores.checks if not check.z <= bound]
    for check in sorted(beyond, key=lambda check: -check.z):
        truth = "exactly" if scores.case.model.spread is None else "by the reference"
        yield (
            f"{BIAS}{check.name} is {check.estimate:.6g}, {truth} {check.exact:.6g}: "
            f"{check.z:.1f} MCSE off, limit {bound:.1f}"
        )


def _loss_faults(scores: Scores, exact: Exact) -> Iterator[str]:
    loss, gap = scores.metrics["loss"], scores.metrics["gap"]
    if loss is None or gap is None or not math.isfinite(loss):
        yield "the fitted normal has no finite loss"
    elif gap < -(IMPOSSIBLE + exact.best_normal(scores.case.model, family_of(scores.case)).error):
        yield f"gap {gap:.3g} nats: a loss below the best possible one"


def _without_speed(metrics: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if METRICS[name].speed else value for name, value in metrics.items()}

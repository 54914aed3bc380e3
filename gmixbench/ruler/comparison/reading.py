"""From the record of a process to what a comparison keeps of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from gmixbench.record import Draws, Failure, Record, Run
from gmixbench.ruler.comparison.nouns import Reading
from gmixbench.ruler.metrics import COMPILING
from gmixbench.ruler.score import Posterior, score
from gmixbench.ruler.verdict import certain_faults


@dataclass(frozen=True)
class Place:
    """Where in a comparison a process belongs; see `Reading`."""

    block: int
    variant: int
    task: int
    place: int
    cold: bool
    began: str
    seconds: float


def reading(record: Record, place: Place, exact: Posterior) -> Reading:
    """Score a record; its draws are needed no more.

    The first chain is the warm call: first calls of a program fetch it into the processor's caches
    and meet a clock that has not settled. What is kept is of the others.
    """
    where: dict[str, Any] = vars(place)
    if isinstance(record, Failure):
        told = f"{record.kind}: {record.message}"
        return Reading(case=record.case, metrics={}, failure=told, **where)
    run = without_warm_call(record)
    with np.errstate(divide="ignore", invalid="ignore"):  # draws that do not vary have no ESS
        scores = score(run, exact)
    cached = {} if place.cold else dict.fromkeys(COMPILING)
    return Reading(
        case=record.case,
        metrics=scores.finite | cached,
        checks=scores.checks,
        ess=_least([each.ess for each in scores.evidence]),
        faults=tuple(certain_faults(run, scores, exact)),
        draws=sha256(np.ascontiguousarray(_drawn(record)).tobytes()).hexdigest(),
        **where,
    )


def _drawn(run: Run) -> np.ndarray:
    return run.result.parameters if isinstance(run.result, Draws) else run.result.means


def _least(ess: Sequence[float]) -> float | None:
    return min(ess) if ess and all(map(math.isfinite, ess)) else None


def without_warm_call(run: Run) -> Run:
    """A run less its first chain; all of it where the library does not tell chains apart.

    Its warm-up stays whole: the gradients of a chain's warm-up are not told.
    """
    draws = run.result
    if not isinstance(draws, Draws) or draws.seconds is None or len(draws.seconds) < 2:
        return run
    others = {name: x[1:] for name, x in vars(draws).items() if x is not None}
    gradients = int(np.sum(others["gradients"])) if "gradients" in others else None
    return replace(
        run,
        result=replace(draws, **others),
        timing=replace(run.timing, sample_s=float(np.sum(others["seconds"]))),
        counters=replace(run.counters, gradients_sample=gradients),
    )

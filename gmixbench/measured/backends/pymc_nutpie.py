"""PyMC's model, sampled by `pm.sample` with nutpie.

`pm.sample` calls `nutpie.sample`, refuses starts of each chain's own for it, and tells no time of a
phase. So that one function is exchanged, while it runs, for one that adds the starts and a clock.
"""

import time
from typing import Any, List, cast
from unittest import mock

import nutpie as library
import pymc as pm

from gmixbench.measured.backends import nutpie
from gmixbench.record import Job, Measured
from gmixbench.spec import NutsSettings

PACKAGES = nutpie.PACKAGES

LIKELIHOODS = nutpie.LIKELIHOODS

build, fit_advi = nutpie.build, nutpie.fit_advi
evaluator, density = nutpie.evaluator, nutpie.density


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another."""
    settings = cast(NutsSettings, job.case.settings)
    kept: List[Measured] = []
    begun = time.perf_counter()

    def watched(compiled: Any, **options: Any) -> Any:
        measured, found = nutpie.watched(compiled, nutpie.NUMBA_START, job, begun, **options)
        kept.append(measured)
        return found

    with model, mock.patch.object(library, "sample", watched):
        pm.sample(
            nuts_sampler="nutpie",
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=1,
            random_seed=job.case.seed,
            target_accept=settings.target_accept,
            nuts={"max_treedepth": settings.max_treedepth},
            discard_tuned_samples=False,
            compute_convergence_checks=False,
            progressbar=False,
        )
    (measured,) = kept
    return measured

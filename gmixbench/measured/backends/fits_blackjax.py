"""BlackJAX's Pathfinder, on any log density in JAX."""

import time
from typing import Any, Callable, cast

import blackjax
import jax
import jax.numpy as jnp
import numpy as np

from gmixbench.measured.backends import in_jax
from gmixbench.measured.normals import normal_of
from gmixbench.measured.points import constrained
from gmixbench.record import Counters, Fit, Job, Measured, Timing
from gmixbench.spec import PathfinderSettings


def pathfinder(log_density: Callable[[Any], Any], job: Job) -> Measured:
    """One path, from the job's start; `fit_s` includes its draws.

    The normal is the one that it draws from, by the log density that it tells of each draw.
    """
    settings = cast(PathfinderSettings, job.case.settings)

    def run(key: Any, start: Any) -> Any:
        first, second = jax.random.split(key)
        state, _ = blackjax.vi.pathfinder.approximate(
            first,
            log_density,
            start,
            num_samples=settings.elbo_draws,
            maxiter=settings.steps,
            maxcor=settings.history,
        )
        return blackjax.vi.pathfinder.sample(second, state, settings.draws)

    key, start = jax.random.PRNGKey(job.case.seed), jnp.asarray(job.starts[0])
    before = len(in_jax.compilations)
    begun = time.perf_counter()
    compiled = jax.jit(run).lower(key, start).compile()
    ready = time.perf_counter()
    points, told = map(np.asarray, jax.block_until_ready(compiled(key, start)))
    fitted = time.perf_counter()
    return Measured(
        Fit(None, *normal_of(points, told), constrained(job.case.model, points)),
        Timing(compile_s=ready - begun, fit_s=fitted - ready),
        Counters(compilations=len(in_jax.compilations) - before),
    )

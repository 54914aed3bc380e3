"""NumPyro with a slower gradient: a chain of dependent additions in each evaluation.

`PLANTED_ADDITIONS` gives how many. Value, gradient and draws are those of NumPyro to the last bit.
"""

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpyro

from gmixbench.measured.backends import numpyro as plain
from gmixbench.record import Job

PACKAGES = plain.PACKAGES
ADDITIONS = int(os.environ.get("PLANTED_ADDITIONS", "0"))


def build(job: Job) -> Any:
    """NumPyro's model, with work that comes to nothing."""
    model = plain.build(job)

    def slower() -> None:
        with numpyro.handlers.trace() as sites:
            model()
        point = jax.lax.stop_gradient(sites["means"]["value"][0])
        # Each waits for the one before it, and none can be known beforehand.
        worked = jax.lax.fori_loop(0, ADDITIONS, lambda _, sum_: sum_ * 0.5 + point, point)
        # Not a number only where the point is none: the compiler can't know that, nor leave it out.
        numpyro.factor("work", jnp.where(jnp.isnan(worked), jnp.nan, 0.0))

    return model._replace(function=slower)


evaluator, density = plain.evaluator, plain.density
sample, fit_advi = plain.sample, plain.fit_advi

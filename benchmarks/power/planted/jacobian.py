"""NumPyro that counts the log-Jacobian of the ordering transform twice, as PyMC up to 5.8.0 did."""

from typing import Any

import jax.numpy as jnp
import numpyro

from gmixbench.measured.backends import numpyro as plain
from gmixbench.record import Job

PACKAGES = plain.PACKAGES


def build(job: Job) -> Any:
    """NumPyro's model, with one more log(m2 - m1)."""
    model = plain.build(job)

    def twice() -> None:
        with numpyro.handlers.trace() as sites:
            model()
        means = sites["means"]["value"]
        numpyro.factor("twice", jnp.log(means[1] - means[0]))

    return model._replace(function=twice)


evaluator, density = plain.evaluator, plain.density
sample, fit_advi = plain.sample, plain.fit_advi

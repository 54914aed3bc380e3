"""PyMC's model, sampled by NumPyro's NUTS on the density in JAX that `pm.sample` hands to it.

`pm.sample` maps over the chains at once, compiles as it goes and tells no times. So it is asked for
one draw, which shows that it can; then chains are sampled one after another, as in the backend
`numpyro`.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
from numpyro.infer import NUTS

from gmixbench.measured.backends import numpyro, pymc_in_jax
from gmixbench.measured.points import constrained
from gmixbench.record import Job, Measured

PACKAGES = (*pymc_in_jax.PACKAGES, "numpyro")

LIKELIHOODS = pymc_in_jax.LIKELIHOODS

build, evaluator = pymc_in_jax.build, pymc_in_jax.evaluator
density, fit_advi = pymc_in_jax.density, pymc_in_jax.fit_advi


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another, once `pm.sample` has shown that it can.

    Raises
    ------
    Exception
        Whatever `pm.sample` raises.
    """
    pymc_in_jax.ask_for("numpyro", model)
    log_density = pymc_in_jax.log_density(model)
    nuts = partial(NUTS, potential_fn=lambda point: -log_density(point))
    as_parameters = partial(constrained, job.case.model)
    kernel = numpyro.Kernel(nuts, jnp.asarray)
    return numpyro.sequential(kernel, jnp.asarray(job.starts), as_parameters, job)

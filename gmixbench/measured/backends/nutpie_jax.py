"""nutpie on PyMC's model, its density compiled by JAX."""

import time
from typing import Any

import nutpie as library

from gmixbench.measured.backends import nutpie, pymc_jax
from gmixbench.record import Job, Measured

PACKAGES = (*nutpie.PACKAGES, "jax", "jaxlib")

LIKELIHOODS = nutpie.LIKELIHOODS

build, fit_advi = pymc_jax.build, nutpie.fit_advi
evaluator, density = pymc_jax.evaluator, pymc_jax.density


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another."""
    begun = time.perf_counter()
    compiled = library.compile_pymc_model(model, backend="jax")
    return nutpie.draws(compiled, nutpie.JAX_START, job, begun)

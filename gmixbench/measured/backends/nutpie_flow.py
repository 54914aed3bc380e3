"""nutpie on PyMC's model, adapted by a normalizing flow that it trains in warm-up."""

import time
from typing import Any

import nutpie as library

from gmixbench.measured.backends import nutpie, pymc_in_jax
from gmixbench.record import Job, Measured

PACKAGES = (*nutpie.PACKAGES, "jax", "jaxlib", "flowjax", "equinox")

LIKELIHOODS = nutpie.LIKELIHOODS

build, fit_advi = pymc_in_jax.build, nutpie.fit_advi
evaluator, density = pymc_in_jax.evaluator, pymc_in_jax.density


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; a flow is trained for each chain."""
    begun = time.perf_counter()
    compiled = library.compile_pymc_model(model, backend="jax", gradient_backend="jax")
    flow = compiled.with_transform_adapt(verbose=False)
    return nutpie.draws(flow, nutpie.JAX_START, job, begun, adaptation="flow")

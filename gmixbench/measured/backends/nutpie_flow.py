"""nutpie on PyMC's model, adapted by a normalizing flow that it trains in warm-up."""

import time
from dataclasses import replace
from typing import Any

import nutpie as library

from gmixbench.measured.backends import in_jax, nutpie, pymc_in_jax
from gmixbench.record import Job, Measured

PACKAGES = (*nutpie.PACKAGES, "jax", "jaxlib", "flowjax", "equinox")

LIKELIHOODS = nutpie.LIKELIHOODS

build, fit_advi = pymc_in_jax.build, nutpie.fit_advi
evaluator, density = pymc_in_jax.evaluator, pymc_in_jax.density


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; a flow is trained for each chain.

    What trains it is compiled within the first chain's warm-up, for as long as JAX tells; that is
    counted as compiling.
    """
    before, begun = len(in_jax.compilations), time.perf_counter()
    compiled = library.compile_pymc_model(model, backend="jax", gradient_backend="jax")
    flow = compiled.with_transform_adapt(verbose=False)
    measured = nutpie.draws(flow, nutpie.JAX_START, job, begun, adaptation="flow")
    timing = measured.timing
    late = in_jax.compiling_s(begun + (timing.compile_s or 0.0))
    return measured._replace(
        timing=replace(
            timing,
            compile_s=(timing.compile_s or 0.0) + late,
            warmup_s=(timing.warmup_s or 0.0) - late,
        ),
        counters=replace(measured.counters, compilations=len(in_jax.compilations) - before),
    )

"""PyMC's own NUTS and ADVI, compiled by JAX."""

from typing import Any, Callable, Tuple

import jax
import numpy as np

from gmixbench.measured.backends import pymc

PACKAGES = (*pymc.PACKAGES, "jax", "jaxlib")

LIKELIHOODS = pymc.LIKELIHOODS

build = pymc.build
_evaluator, density, sample, fit_advi, fit_pathfinder, fit_laplace = pymc.in_mode("JAX")


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of the compiled function that PyMC hands to its samplers.

    It returns before JAX has computed them, so they are waited for.
    """
    begin = _evaluator(model)

    def evaluate(point: np.ndarray) -> Tuple[Any, Any]:
        value, gradient = jax.block_until_ready(begin(point))
        return value, gradient

    return evaluate

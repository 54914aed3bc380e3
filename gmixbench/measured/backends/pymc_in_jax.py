"""PyMC's model as the density in JAX that `pm.sample` hands to the samplers of other libraries."""

from typing import Any, Callable, Tuple

import numpy as np
from pymc.sampling.jax import get_jaxified_logp

from gmixbench.measured.backends import in_jax, pymc
from gmixbench.measured.points import density_at
from gmixbench.record import Density, Job, Measured
from gmixbench.spec import ENUMERATED, LOGSUMEXP, MIXTURE

PACKAGES = (*pymc.PACKAGES, "jax", "jaxlib")

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED)

build = pymc.build


def log_density(model: Any) -> Callable[[Any], Any]:
    """Log density of an unconstrained point, log-Jacobian included."""
    of_values = get_jaxified_logp(model)
    return lambda point: of_values(pymc.by_value(model, point))


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient, as JAX differentiates them."""
    size = sum(map(np.size, model.initial_point().values()))
    return in_jax.evaluator(log_density(model), size)


def density(model: Any, points: np.ndarray) -> Density:
    """Values and gradients of `evaluator`."""
    return density_at(evaluator(model), points)


def fit_advi(model: Any, job: Job) -> Measured:
    """Other libraries sample PyMC's models; ADVI is PyMC's own."""
    raise NotImplementedError("PyMC hands no ADVI to another library: --backend pymc")

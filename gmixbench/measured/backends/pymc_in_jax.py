"""PyMC's model as the density in JAX that `pm.sample` hands to the samplers of other libraries."""

from typing import Any, Callable, Tuple

import numpy as np
import pymc as pm
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


def ask_for(sampler: str, model: Any) -> None:
    """Let `pm.sample` make one draw by another library's sampler.

    It tells no times, so what is measured is the library's sampler on the same density. But where
    PyMC can't call it, its users can't have it either: that is what the run is to record.

    Raises
    ------
    Exception
        Whatever `pm.sample` raises where the installed libraries do not fit together.
    """
    with model:
        pm.sample(
            nuts_sampler=sampler,
            draws=1,
            tune=1,
            chains=1,
            random_seed=0,
            compute_convergence_checks=False,
            progressbar=False,
        )


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

"""PyMC's model, sampled by BlackJAX's NUTS on the density in JAX that `pm.sample` hands to it.

`pm.sample` maps over the chains at once, compiles as it goes and tells no times. So it is asked for
one draw, which shows that it can; then chains are sampled one after another, as in the backend
`blackjax`.
"""

from typing import Any

from gmixbench.measured.backends import blackjax, fits_blackjax, pymc_in_jax
from gmixbench.record import Job, Measured

PACKAGES = (*pymc_in_jax.PACKAGES, "blackjax")

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
    pymc_in_jax.ask_for("blackjax", model)
    size = len(job.case.model.parameters)
    return blackjax.sample(blackjax.Model(pymc_in_jax.log_density(model), size), job)


def fit_pathfinder(model: Any, job: Job) -> Measured:
    """One path, as pymc-extras' `fit_blackjax_pathfinder` runs it."""
    return fits_blackjax.pathfinder(pymc_in_jax.log_density(model), job)

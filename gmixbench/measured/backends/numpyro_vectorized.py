"""NumPyro's NUTS, all chains in one vectorized loop: each waits for the longest tree."""

from typing import Any

from gmixbench.measured.backends import numpyro
from gmixbench.record import Job, Measured
from gmixbench.spec import ENUMERATED, LOGSUMEXP, MIXTURE

PACKAGES = numpyro.PACKAGES

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED)

build, evaluator = numpyro.build, numpyro.evaluator
density, fit_advi = numpyro.density, numpyro.fit_advi


def sample(model: Any, job: Job) -> Measured:
    """NUTS, all chains at the same time."""
    return numpyro.at_once("vectorized", model, job)

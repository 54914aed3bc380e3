"""NumPyro's NUTS, each chain on a device of its own: JAX is told that the processor has as many."""

from typing import Any

import numpyro as library

from gmixbench.measured.backends import numpyro
from gmixbench.record import Job, Measured
from gmixbench.spec import ENUMERATED, LOGSUMEXP, MIXTURE, NutsSettings

PACKAGES = numpyro.PACKAGES

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED)

evaluator, density, fit_advi = numpyro.evaluator, numpyro.density, numpyro.fit_advi


def build(job: Job) -> Any:
    """NumPyro's model."""
    settings = job.case.settings
    if isinstance(settings, NutsSettings):  # what fits, or times a gradient, has no chains
        # JAX asks but once how many there are, when it first computes something.
        library.set_host_device_count(settings.chains)
    return numpyro.build(job)


def sample(model: Any, job: Job) -> Measured:
    """NUTS, all chains at the same time."""
    return numpyro.at_once("parallel", model, job)

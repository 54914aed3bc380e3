"""NumPyro whose chains stay where they are now and then: less ESS for the same gradients."""

import os
from dataclasses import replace
from typing import Any, cast

import numpy as np

from gmixbench.measured.backends import numpyro as plain
from gmixbench.record import Draws, Job, Measured

PACKAGES = plain.PACKAGES
STAYS = float(os.environ.get("PLANTED_STAYS", "0"))
"""Probability that a draw is the one before it."""

build, evaluator, density, fit_advi = plain.build, plain.evaluator, plain.density, plain.fit_advi


def sample(model: Any, job: Job) -> Measured:
    """Draws of NumPyro, some of them twice in the place of the next."""
    measured = plain.sample(model, job)
    draws = cast(Draws, measured.result)
    rng = np.random.default_rng([job.case.seed, 1])
    chains, count = draws.means.shape[:2]
    stays = rng.random((chains, count)) < STAYS
    stays[:, 0] = False
    last = np.maximum.accumulate(np.where(stays, 0, np.arange(count)), axis=1)
    means = np.take_along_axis(draws.means, last[:, :, None], axis=1)
    return measured._replace(result=replace(draws, means=means))

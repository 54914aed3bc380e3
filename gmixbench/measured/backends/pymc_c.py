"""PyMC's own NUTS and ADVI, compiled as C, and run by PyTensor's virtual machine."""

from typing import Any

import pytensor

from gmixbench.measured.backends import pymc
from gmixbench.record import Job

PACKAGES = pymc.PACKAGES

LIKELIHOODS = pymc.LIKELIHOODS

evaluator, density, sample, fit_advi, fit_pathfinder, fit_laplace = pymc.in_mode("CVM")


def build(job: Job) -> Any:
    """Library's own model object.

    Raises
    ------
    NotImplementedError
        There is no C++ compiler, without which PyTensor would run in Python and not say so.
    """
    if not pytensor.config.cxx:
        raise NotImplementedError("PyTensor finds no C++ compiler: install g++ or clang++")
    return pymc.build(job)

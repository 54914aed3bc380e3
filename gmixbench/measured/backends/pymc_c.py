"""PyMC's own NUTS and ADVI, compiled as C, and run by PyTensor's virtual machine."""

from gmixbench.measured.backends import pymc

PACKAGES = pymc.PACKAGES

LIKELIHOODS = pymc.LIKELIHOODS

build = pymc.build
evaluator, density, sample, fit_advi, fit_pathfinder, fit_laplace = pymc.in_mode("CVM")

"""PyMC's own NUTS and ADVI, compiled by Numba."""

from gmixbench.measured.backends import pymc

PACKAGES = pymc.PACKAGES

LIKELIHOODS = pymc.LIKELIHOODS

build = pymc.build
evaluator, density, sample, fit_advi, fit_pathfinder, fit_laplace = pymc.in_mode("NUMBA")

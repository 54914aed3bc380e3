"""PyMC's own NUTS and ADVI, compiled by JAX."""

from gmixbench.measured.backends import pymc

PACKAGES = (*pymc.PACKAGES, "jax", "jaxlib")

LIKELIHOODS = pymc.LIKELIHOODS

build = pymc.build
evaluator, density, sample, fit_advi, fit_pathfinder, fit_laplace = pymc.in_mode("JAX")

"""PyMC's own NUTS and ADVI, compiled by JAX."""

from gmixbench.measured.backends import pymc

PACKAGES = (*pymc.PACKAGES, "jax", "jaxlib")

LIKELIHOODS = pymc.LIKELIHOODS

build = pymc.build
evaluator, density, sample, fit_advi = pymc.in_mode("JAX")

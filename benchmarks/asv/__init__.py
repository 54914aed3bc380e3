"""Both models in PyMC and NumPyro; asv imports all that stands in this folder."""

from gmixbench.suite.asv import Advi, Nuts

__all__ = ["Advi", "Nuts"]

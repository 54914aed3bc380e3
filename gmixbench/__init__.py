"""Benchmarks of two Gaussian mixture models, judged against their exact posterior."""

__version__ = "0.1.0"

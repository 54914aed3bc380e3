"""Backends with a fault of known size, planted into NumPyro: what `compare` must find."""

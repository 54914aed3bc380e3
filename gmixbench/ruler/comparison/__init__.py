"""Variants held against each other in blocks of fresh processes: what may be said, and when."""

"""Comparisons as they are made: what stands on each side, and blocks of fresh processes."""

"""What runs inside a measured environment: NumPy and the library measured, nothing else."""

"""What judges loads no library that it judges."""

import subprocess
import sys


def test_judging_loads_no_jax():
    code = """
import sys
from gmixbench.lab import datasets, results
from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

solve(datasets.load("close").x, MODELS["ordered"])  # by SciPy, which looks for JAX
sys.exit(any(name.startswith("jax") for name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

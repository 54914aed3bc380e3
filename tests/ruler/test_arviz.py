"""What judges loads no library that it judges, and ArviZ only where there is something to judge."""

import subprocess
import sys


def run(code):
    """Exit code of Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_judging_loads_no_jax():
    code = """
import sys
import numpy as np
from gmixbench.lab import datasets
from gmixbench.ruler.diagnostics import rhat
from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

rhat(np.random.default_rng(0).normal(size=(4, 100)))  # by ArviZ, which leaves a stand-in
solve(datasets.load("close").x, MODELS["ordered"])  # by SciPy, which looks for JAX
if "arviz_stats" not in sys.modules:
    sys.exit(2)
sys.exit(any(name.startswith("jax") for name in sys.modules))
"""
    assert run(code) == 0


def test_arviz_waits_for_draws():
    code = """
import sys
import gmixbench.lab.results, gmixbench.report.terminal

sys.exit(any(name.startswith(("arviz", "scipy.stats")) for name in sys.modules))
"""
    assert run(code) == 0

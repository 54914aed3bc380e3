"""What the exact posterior costs: seconds and peak memory from 100 to 1,000,000 observations.

Each is solved in a fresh process. Limits: below 0.2 s for 100 observations, below 10 s and 2 GiB
for 1,000,000.

Run: python benchmarks/exact_cost.py [COUNT ...]
"""

import resource
import subprocess
import sys
import time

import numpy as np

from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)

DISTANCES = {"equal": 0.0, "overlapping": 1.0, "close": 2.0, "separated": 6.0, "far apart": 50.0}
"""Between the components' true means, in standard deviations."""

SECONDS = {100: 0.2, 1_000_000: 10.0}
BYTES = 2 * 2**30


def observations(distance: float, n: int) -> np.ndarray:
    """Made-up data, shape (n,), of components that stand so far apart."""
    rng = np.random.default_rng(n)
    return rng.normal(distance * (rng.integers(0, 2, n) - 0.5), 1.0)


def measure(distance: float, n: int) -> None:
    """Print seconds and peak memory in bytes of this process."""
    x = observations(distance, n)
    solve(observations(2.0, 100), MODELS["ordered"])  # what is done once is not counted
    begun = time.perf_counter()
    solve(x, MODELS["ordered"])
    took = time.perf_counter() - begun
    unit = 1 if sys.platform == "darwin" else 1024
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def main(counts: tuple[int, ...]) -> int:
    """Print a table; 1 where a limit is passed."""
    passed = 0
    print(f"{'components':>12} {'n':>9} {'seconds':>8} {'peak MiB':>9}")
    for n in counts:
        for name, distance in DISTANCES.items():
            command = [sys.executable, __file__, "--measure", str(distance), str(n)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            took, memory = map(float, said.split())
            beyond = took > SECONDS.get(n, np.inf) or memory > BYTES
            passed |= beyond
            note = "  beyond the limit" if beyond else ""
            print(f"{name:>12} {n:>9} {took:8.3f} {memory / 2**20:9.0f}{note}")
    return int(passed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(float(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(tuple(map(int, sys.argv[1:])) or COUNTS))

"""How noisy z is where the MCSE is estimated from the draws themselves.

Independent draws of the `exact` backend are right by construction, so every z beyond the limit is a
false alarm. Prints, for several counts of draws, quantiles of the largest of the ten |z|, the limit
that gmixbench.ruler.verdict would apply, and the share of runs beyond it with its 95 % interval
(Clopper and Pearson).

Run: python benchmarks/calibrate.py [RUNS]
"""

import sys

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import binomtest

from gmixbench.lab import datasets
from gmixbench.record import Draws
from gmixbench.ruler.score import _checks, quantities_of
from gmixbench.ruler.verdict import limit
from gmixbench.spec import MODELS
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

COUNTS = ((4, 100), (4, 250), (4, 1000), (4, 5000), (2, 10_000))


def largest_z(exact: Exact, chains: int, draws: int, rng: np.random.Generator) -> float:
    """Largest |z| of one run of independent draws."""
    means = exact.draws(MODELS["ordered"], chains * draws, rng).reshape(chains, draws, 2)
    quantities = quantities_of(Draws(means), exact)
    return max(
        check.z for known in exact.known() for check in _checks(quantities[known.name], known)
    )


def main(runs: int) -> None:
    """Print one row for each count and data set."""
    table = Table("data", "chains", "draws", "50 %", "99 %", "99.9 %", "limit", "beyond", "95 %")
    for name in ("overlapping", "close"):
        exact = solve(datasets.load(name).x, MODELS["ordered"])
        for chains, draws in COUNTS:
            rng = np.random.default_rng([chains, draws])
            z = np.array(
                [
                    largest_z(exact, chains, draws, rng)
                    for _ in track(range(runs), f"{name} {chains} x {draws}", transient=True)
                ]
            )
            bound = limit(10, chains * draws)
            beyond = int(np.sum(z > bound))
            interval = binomtest(beyond, runs).proportion_ci(0.95)
            table.add_row(
                name,
                str(chains),
                str(draws),
                *(f"{value:.2f}" for value in np.quantile(z, [0.5, 0.99, 0.999])),
                f"{bound:.2f}",
                f"{beyond / runs:.2%}",
                f"{interval.low:.2%} to {interval.high:.2%}",
            )
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)

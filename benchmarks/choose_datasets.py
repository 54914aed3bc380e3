"""Make the package's data sets anew, by the rule that chose them.

For k = 0, 1, 2, ...: 100 labels from {0, 1} and 100 observations from Normal(-1, 1) or Normal(1, 1)
by `numpy.random.default_rng(k)`, rounded to six decimals. Each data set is the first whose valley
(log density of the exact posterior at the best point on m1 = m2, less that at the mode) lies in
its interval. The files in the package count, not this script: NumPy does not promise the same
stream in every version.

Run: python benchmarks/choose_datasets.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np

from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

VALLEYS = {"overlapping": (-5.5, -4.5), "close": (-7.5, -7.0), "separated": (-16.5, -15.5)}


def candidate(k: int) -> np.ndarray:
    """Observations of seed k, shape (100,)."""
    rng = np.random.default_rng(k)
    labels = rng.integers(0, 2, 100)
    return np.round(rng.normal(np.array([-1.0, 1.0])[labels], 1.0), 6)


def main(folder: Path) -> None:
    """Write each data set to the folder and say which seed it was."""
    wanted = dict(VALLEYS)
    k = 0
    while wanted:
        x = candidate(k)
        valley = solve(x, MODELS["ordered"]).valley
        for name in [name for name, (low, high) in wanted.items() if low <= valley <= high]:
            (folder / f"{name}.csv").write_text("x\n" + "".join(f"{value:.6f}\n" for value in x))
            print(f"{name}: seed {k}, valley {valley:.3f}")
            del wanted[name]
        k += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("gmixbench/datasets"))

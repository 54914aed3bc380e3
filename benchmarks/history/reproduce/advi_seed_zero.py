"""PyMC3 and PyMC 4: variational inference refuses the seed 0."""

import sys

pm = __import__(sys.argv[1] if len(sys.argv) > 1 else "pymc")  # the library: pymc, or pymc3
for seed in (1, 0):
    with pm.Model():
        pm.Normal("m", 0, 1)
        try:
            pm.ADVI(random_seed=seed)
            print(pm.__version__, "seed", seed, "is taken")
        except ValueError as error:
            print(pm.__version__, "seed", seed, "ValueError:", error)

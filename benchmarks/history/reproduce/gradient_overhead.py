"""PyMC 4.0 to 5.18: each gradient is unpacked into a dictionary and packed again."""

import sys

import numpy as np

pm = __import__(sys.argv[1] if len(sys.argv) > 1 else "pymc")  # the library: pymc, or pymc3
with pm.Model():
    pm.Normal("m", 0, 1, shape=2)
    trace = pm.sample(
        2000,
        tune=1000,
        chains=1,
        cores=1,
        random_seed=1,
        progressbar=False,
        compute_convergence_checks=False,
        return_inferencedata=False,
    )
seconds, steps = (trace.get_sampler_stats(name) for name in ("process_time_diff", "tree_size"))
took = np.sum(seconds) / np.sum(steps + 1) * 1e6
print(pm.__version__, f"{took:.0f} microseconds of CPU a gradient")

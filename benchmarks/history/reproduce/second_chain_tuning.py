"""PyMC3 up to 3.8, cores=1: a chain starts from what the chain before it has tuned."""

import numpy as np
import pymc3 as pm

with pm.Model():
    pm.Normal("m", 0, 1, shape=2)
    trace = pm.sample(
        200,
        tune=500,
        chains=3,
        cores=1,
        random_seed=1,
        progressbar=False,
        discard_tuned_samples=False,
    )
for chain, step in enumerate(trace.get_sampler_stats("step_size", combine=False)):
    print(pm.__version__, "chain", chain, "first step sizes of warm-up", np.round(step[:5], 3))

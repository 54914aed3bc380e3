"""PyMC 6: a step of ADVI on a small model takes several times as long as in PyMC 5."""

import time

import pymc as pm

with pm.Model():
    pm.Normal("m", 0, 1, shape=2)
    advi = pm.ADVI(random_seed=1)
    advi.fit(10, progressbar=False)
begun = time.perf_counter()
advi.refine(10_000, progressbar=False)
took = (time.perf_counter() - begun) / 10_000
print(pm.__version__, f"{took * 1e6:.0f} microseconds a step")

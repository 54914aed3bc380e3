"""PyMC 4 and 5: how many C++ modules the log density of a mixture is compiled to."""

import os
import resource
import tempfile
from pathlib import Path

folder = tempfile.TemporaryDirectory()
for engine in ("AESARA", "PYTENSOR"):
    os.environ[engine + "_FLAGS"] = "base_compiledir=" + folder.name

import numpy as np  # noqa: E402  # the engine reads its flags when it is imported
import pymc as pm  # noqa: E402  # as above

begun = len(list(Path(folder.name).rglob("mod.cpp")))
spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
with pm.Model() as model:
    means = pm.Normal("means", 0, 10, shape=2)
    pm.NormalMixture("x", w=np.array([0.5, 0.5]), mu=means, sigma=1, observed=np.arange(9.0))
model.compile_logp()
modules = len(list(Path(folder.name).rglob("mod.cpp"))) - begun
took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - spent
print(pm.__version__, modules, f"modules, {took:.1f} seconds of the compiler")

"""PyMC 5.11 on: a whole Python float (10.0) is kept as float32, and so is its logarithm."""

import numpy as np
import pymc as pm

right = -np.log(10 * np.sqrt(2 * np.pi))  # of Normal(0, 10) at 0
for sigma in (10, 10.0, np.float64(10.0), 10.1):
    with pm.Model() as model:
        pm.Normal("m", 0.0, sigma)
    error = model.compile_logp()({"m": 0.0}) - right + np.log(sigma / 10.0)
    print(f"{pm.__version__} sigma = {sigma!r}: log density off by {error:.1e}")

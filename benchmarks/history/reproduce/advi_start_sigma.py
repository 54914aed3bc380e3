"""PyMC 4.0 and 4.1: `pm.ADVI` takes any keyword, and `start_sigma` does nothing until 4.2."""

import numpy as np
import pymc as pm

with pm.Model():
    pm.Normal("m", 0, 1)
    advi = pm.ADVI(start_sigma={"m": np.array(0.1)}, no_such_keyword=True)
print(pm.__version__, "asked for 0.1, starts at", advi.approx.std.eval())

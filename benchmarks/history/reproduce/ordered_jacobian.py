"""PyMC 4.0.0 to 5.8.0 count the ordered transform's log-Jacobian K times for K means."""

import sys

import numpy as np

pm = __import__(sys.argv[1] if len(sys.argv) > 1 else "pymc")  # the library: pymc, or pymc3
transforms, start = pm.distributions.transforms, "initval" if pm.__name__ == "pymc" else "testval"
names = ("ordered", "univariate_ordered", "multivariate_ordered")
for name in [name for name in names if hasattr(transforms, name)]:
    for means in (np.array([-1.0, 2.0]), np.array([-1.0, 2.0, 7.0])):
        with pm.Model() as model:
            keywords = {"transform": getattr(transforms, name), start: means}
            pm.Normal("means", 0, 10, shape=means.size, **keywords)
        log_density = model.compile_logp() if pm.__name__ == "pymc" else model.logp
        jacobian = np.log(np.diff(means))
        got = log_density({"means_ordered__": np.append(means[0], jacobian)})
        prior = np.sum(-(means**2) / 200 - np.log(10 * np.sqrt(2 * np.pi)))
        off, times = got - prior - np.sum(jacobian), (got - prior) / np.sum(jacobian)
        count = f"{means.size} means, log-Jacobian counted {times:.4f} times: off by {off:.4f}"
        print(pm.__version__, name, count)

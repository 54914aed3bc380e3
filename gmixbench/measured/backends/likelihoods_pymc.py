"""Forms in which PyMC's likelihood of two normals is written, each inside a `pm.Model`.

`ENUMERATED` is `DISCRETE` whose labels pymc-extras marginalizes out of the finished model.
"""

from typing import Any, Callable, Dict

import numpy as np
import pymc as pm

from gmixbench.spec import DISCRETE, ENUMERATED, LOGSUMEXP, MIXTURE, WEIGHTS

Write = Callable[[Any, Any, np.ndarray], None]
"""Adds to the model, given the means, the standard deviation, and the data of shape (n,)."""


def mixture(means: Any, sigma: Any, x: np.ndarray) -> None:
    """PyMC's own distribution."""
    pm.NormalMixture("obs", w=np.array(WEIGHTS), mu=means, sigma=sigma, observed=x)


def logsumexp(means: Any, sigma: Any, x: np.ndarray) -> None:
    """By hand: the largest term is taken out of the sum before it is exponentiated."""
    components = pm.logp(pm.Normal.dist(mu=means, sigma=sigma), x[:, None])
    weighted = np.log(np.array(WEIGHTS)) + components
    pm.Potential("obs", pm.math.logsumexp(weighted, axis=1).sum())


def labelled(means: Any, sigma: Any, x: np.ndarray) -> None:
    """A label for each observation."""
    labels = pm.Categorical("labels", p=np.array(WEIGHTS), shape=len(x))
    pm.Normal("obs", mu=means[labels], sigma=sigma, observed=x)


WRITE: Dict[str, Write] = {
    MIXTURE: mixture,
    LOGSUMEXP: logsumexp,
    ENUMERATED: labelled,
    DISCRETE: labelled,
}


def finished(model: Any, likelihood: str) -> Any:
    """The model as it is sampled; it must not have initial values of its own yet."""
    if likelihood != ENUMERATED:
        return model
    from pymc_extras import marginalize

    return marginalize(model, ["labels"])

"""Forms in which PyMC's likelihood of two normals is written, each inside a `pm.Model`.

`ENUMERATED` is `DISCRETE` whose labels pymc-extras marginalizes out of the finished model.
"""

from typing import Any, Callable, Dict

import numpy as np
import pymc as pm

from gmixbench.spec import DISCRETE, ENUMERATED, LOGSUMEXP, MIXTURE

Write = Callable[[Any, Any, Any, np.ndarray], None]
"""Adds to the model, given the weights, the means, the standard deviation or both of them, and the
data of shape (n,)."""


def mixture(weights: Any, means: Any, sigma: Any, x: np.ndarray) -> None:
    """PyMC's own distribution."""
    pm.NormalMixture("obs", w=weights, mu=means, sigma=sigma, observed=x)


def logsumexp(weights: Any, means: Any, sigma: Any, x: np.ndarray) -> None:
    """By hand: the largest term is taken out of the sum before it is exponentiated."""
    components = pm.logp(pm.Normal.dist(mu=means, sigma=sigma), x[:, None])
    weighted = np.log(weights) + components
    pm.Potential("obs", pm.math.logsumexp(weighted, axis=1).sum())


def labelled(weights: Any, means: Any, sigma: Any, x: np.ndarray) -> None:
    """A label for each observation."""
    labels = pm.Categorical("labels", p=weights, shape=len(x))
    own = sigma[labels] if sigma.ndim else sigma
    pm.Normal("obs", mu=means[labels], sigma=own, observed=x)


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

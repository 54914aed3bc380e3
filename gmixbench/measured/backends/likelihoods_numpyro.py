"""Forms in which NumPyro's likelihood of two normals is written, each inside a model function."""

from typing import Any, Callable, Dict

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import logsumexp as log_sum_exp

from gmixbench.spec import DISCRETE, ENUMERATED, LOGSUMEXP, MIXTURE

Write = Callable[[Any, Any, Any, Any], None]
"""Adds to the model, given the weights, the means, the standard deviation or both of them, and the
data of shape (n,)."""


def mixture(weights: Any, means: Any, sigma: Any, x: Any) -> None:
    """NumPyro's own distribution."""
    mixing = dist.Categorical(probs=weights)
    numpyro.sample("obs", dist.MixtureSameFamily(mixing, dist.Normal(means, sigma)), obs=x)


def logsumexp(weights: Any, means: Any, sigma: Any, x: Any) -> None:
    """By hand: the largest term is taken out of the sum before it is exponentiated."""
    weighted = jnp.log(weights) + dist.Normal(means, sigma).log_prob(x[:, None])
    numpyro.factor("obs", log_sum_exp(weighted, axis=1).sum())


def enumerated(weights: Any, means: Any, sigma: Any, x: Any) -> None:
    """A label for each observation, that NumPyro sums over."""
    _labelled(weights, means, sigma, x, {"enumerate": "parallel"})


def discrete(weights: Any, means: Any, sigma: Any, x: Any) -> None:
    """A label for each observation."""
    _labelled(weights, means, sigma, x, {})


def _labelled(weights: Any, means: Any, sigma: Any, x: Any, infer: Dict[str, str]) -> None:
    with numpyro.plate("data", len(x)):
        labels = numpyro.sample("labels", dist.Categorical(probs=weights), infer=infer)
        own = sigma[labels] if jnp.ndim(sigma) else sigma
        numpyro.sample("obs", dist.Normal(means[labels], own), obs=x)


WRITE: Dict[str, Write] = {
    MIXTURE: mixture,
    LOGSUMEXP: logsumexp,
    ENUMERATED: enumerated,
    DISCRETE: discrete,
}

"""BlackJAX: NUTS with window adaptation, on the mixture's density written out in JAX."""

from functools import partial
from typing import Any, Callable, NamedTuple, Tuple, cast

import blackjax
import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.base import get_filter_adapt_info_fn
from jax.scipy.special import logsumexp
from jax.scipy.stats import beta, norm

from gmixbench.measured.backends import fits_blackjax, in_jax
from gmixbench.measured.points import constrained, density_at
from gmixbench.record import Density, Job, Measured
from gmixbench.spec import LOGSUMEXP, MIXTURE, WEIGHTS, NutsSettings

PACKAGES = ("blackjax", "jax", "jaxlib")

LIKELIHOODS = (MIXTURE, LOGSUMEXP)
"""It has no mixture distribution: the density is written out by log-sum-exp for either."""

SIGNS = np.array([1.0, -1.0])
"""Of the logit in the weight of each component."""


class Model(NamedTuple):
    """Log density of an unconstrained point, log-Jacobian included, and how long a point is."""

    log_density: Callable[[Any], Any]
    size: int


def build(job: Job) -> Model:
    """Library's own model: here, the density of the job's mixture and data."""
    jax.config.update("jax_enable_x64", True)
    mixture = job.case.model
    x = jnp.asarray(job.x)[:, None]

    def log_density(point: Any) -> Any:
        means, sigmas, log_weights = point[:2], mixture.sigma, jnp.log(jnp.array(WEIGHTS))
        added = 0.0  # log-Jacobian, and the prior of all but the means
        if mixture.ordered:
            added = point[1]
            means = point[0] + jnp.array([0.0, 1.0]) * jnp.exp(point[1])
        if mixture.spread is not None:
            sigmas, log_weights = jnp.exp(point[2:4]), jax.nn.log_sigmoid(point[4] * SIGNS)
            half = jnp.log(2.0) + norm.logpdf(sigmas, 0.0, mixture.spread.sigma_scale)
            weight = beta.logpdf(jnp.exp(log_weights[0]), *mixture.spread.weight)
            added += half.sum() + weight + point[2:4].sum() + log_weights.sum()
        components = log_weights + norm.logpdf(x, means, sigmas)
        prior = norm.logpdf(means, mixture.prior.mean, mixture.prior.scale)
        return logsumexp(components, axis=1).sum() + prior.sum() + added

    return Model(log_density, len(mixture.parameters))


def evaluator(model: Model) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Compiled function of a point that gives value and gradient: pytest times its calls."""
    return in_jax.evaluator(model.log_density, model.size)


def bare_gradient(model: Model, point: np.ndarray) -> float:
    """Seconds of a value and gradient in a compiled loop: the limit that a ranking draws."""
    return in_jax.bare_gradient(model.log_density, point)


def density(model: Model, points: np.ndarray) -> Density:
    """Values and gradients at unconstrained points: held against the written density."""
    return density_at(evaluator(model), points)


def sample(model: Model, job: Job) -> Measured:
    """Draws of every chain, with compilation, warm-up and sampling told apart."""
    settings = cast(NutsSettings, job.case.settings)
    adaptation = blackjax.window_adaptation(
        blackjax.nuts,
        model.log_density,
        target_acceptance_rate=settings.target_accept,
        adaptation_info_fn=get_filter_adapt_info_fn(info_keys={"num_integration_steps"}),
        max_num_doublings=settings.max_treedepth,
    )

    def warm_up(key: Any, start: Any) -> Tuple[Any, Any]:
        first, second = jax.random.split(key)
        (state, tuned), told = adaptation.run(first, start, num_steps=settings.warmup)
        adapted = {name: tuned[name] for name in ("step_size", "inverse_mass_matrix")}
        return (state, adapted, second), told.info.num_integration_steps

    def draw(warm: Any) -> Tuple[Any, Any]:
        state, adapted, key = warm
        nuts = blackjax.nuts(model.log_density, max_num_doublings=settings.max_treedepth, **adapted)

        def step(state: Any, key: Any) -> Tuple[Any, Any]:
            state, info = nuts.step(key, state)
            told = {
                "num_steps": info.num_integration_steps,
                "energy": info.energy,
                "diverging": info.is_divergent,
            }
            return state, (state.position, told)

        _, (positions, statistics) = jax.lax.scan(
            step, state, jax.random.split(key, settings.draws)
        )
        return positions, statistics

    keys = jax.random.split(jax.random.PRNGKey(job.case.seed), settings.chains)
    as_parameters = partial(constrained, job.case.model)
    chains = list(zip(keys, jnp.asarray(job.starts)))
    return in_jax.sequential(warm_up, draw, chains, as_parameters, settings.max_treedepth)


def fit_advi(model: Model, job: Job) -> Measured:
    """There is none: what is raised here is recorded as a failure, and the run goes on."""
    raise NotImplementedError("BlackJAX is measured by NUTS and Pathfinder: --method nuts")


def fit_pathfinder(model: Model, job: Job) -> Measured:
    """Normal that one path ends in, and draws from it."""
    return fits_blackjax.pathfinder(model.log_density, job)

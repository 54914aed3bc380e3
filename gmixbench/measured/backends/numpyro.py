"""NumPyro 0.10 to 0.22: NUTS, with Gibbs steps where labels are sampled, and SVI of a normal.

Everything timed is compiled ahead of time: `MCMC` and `SVI.run` are traced whole under
`jax.jit`, lowered, compiled, and only then called. A plain `MCMC.run` gives the same draws but
compiles its loop again for each chain, which JAX's asynchronous dispatch overlaps with the chain
before: no clock around it tells the two apart.
"""

import os
import time
from functools import partial
from typing import Any, Callable, Dict, NamedTuple, Sequence, Tuple, cast

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.handlers import block, seed
from numpyro.infer import (
    MCMC,
    NUTS,
    SVI,
    DiscreteHMCGibbs,
    Trace_ELBO,
    TraceEnum_ELBO,
    init_to_value,
)
from numpyro.infer.autoguide import AutoLaplaceApproximation, AutoMultivariateNormal, AutoNormal
from numpyro.infer.util import potential_energy

from gmixbench.measured.backends import in_jax
from gmixbench.measured.backends import likelihoods_numpyro as likelihoods
from gmixbench.measured.points import VARIABLES, by_variable, constrained, density_at, joined
from gmixbench.record import Counters, Density, Fit, Job, Measured, Timing
from gmixbench.spec import (
    DISCRETE,
    ENUMERATED,
    LOGSUMEXP,
    MIXTURE,
    WEIGHTS,
    AdviSettings,
    LaplaceSettings,
    Mixture,
    NutsSettings,
    Spread,
)

PACKAGES = ("numpyro", "jax", "jaxlib", "funsor", "scipy")

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED, DISCRETE)


def _version(package: Any) -> Tuple[int, ...]:
    return tuple(int(part) for part in package.__version__.split(".")[:3])


_OLD_KERNEL = _version(numpyro) < (0, 12)
_COUNTED_TRIPS = (0, 4, 32) <= _version(jaxlib) < (0, 5)

KERNEL_SETUP = "kernel-setup"
"""In 0.10 and 0.11 (2022-09-05 to 2023-01-23): `MCMC.run` does not set up a kernel that has not
made its own warm-up, and fails. So the kernel is set up first, as later versions do by themselves.
"""

NO_TRIP_COUNTS = "no-trip-counts"
"""With jaxlib 0.4.32 to 0.4.38 (2024-09-11 to 2024-12-17): a warm-up that is collected, as counting
its gradients asks for, ends the process while it is compiled ("Mismatched backend config
descriptors") where XLA's pass has noted how often its loop turns. So that pass is left out.
"""

SHIMS = (KERNEL_SETUP,) * _OLD_KERNEL + (NO_TRIP_COUNTS,) * _COUNTED_TRIPS
"""Those in force in the versions at hand; the first for NUTS alone."""

if _COUNTED_TRIPS:  # read when JAX first computes something
    os.environ["XLA_FLAGS"] = "{} --xla_disable_hlo_passes=while-loop-trip-count-annotator".format(
        os.environ.get("XLA_FLAGS", "")
    )

LIBRARY_STEP_SIZE = 0.0005
"""SVI has no default optimizer. The example in its own docstring reads
`optimizer = numpyro.optim.Adam(step_size=0.0005)`."""


MEAN_FIELD = "means_auto_loc", "means_auto_scale"
FULL_RANK = "auto_loc", "auto_scale_tril"
"""Names of what each guide fits."""


class Model(NamedTuple):
    """Model function, the mixture that it is of, and whether NumPyro sums over its labels."""

    function: Callable[[], None]
    mixture: Mixture
    enumerated: bool

    def __call__(self) -> None:
        """What NUTS calls, which finds the labels by itself."""
        self.function()


class Kernel(NamedTuple):
    """How to make a kernel, and where it has what NUTS tells.

    Parameters
    ----------
    make : given its settings
    position : takes what was drawn out of the kernel's samples
    state : what stands before the name of a field of NUTS
    again : gradient evaluations of a draw beside its leapfrog steps
    """

    make: Callable[..., Any]
    position: Callable[[Any], Any]
    state: str = ""
    again: int = 0


def build(job: Job) -> Any:
    """Model function without arguments; a latent site `means`, and `labels` in some forms.

    A general mixture has `sigmas` and `theta` too.
    """
    numpyro.enable_x64()
    mixture, likelihood = job.case.model, job.case.likelihood
    prior = dist.Normal(mixture.prior.mean, mixture.prior.scale)
    x = jnp.asarray(job.x)

    def model() -> None:
        if mixture.ordered:
            # TransformedDistribution(prior, OrderedTransform) would be another prior.
            support = dist.constraints.ordered_vector
            means = numpyro.sample("means", dist.ImproperUniform(support, (), event_shape=(2,)))
            numpyro.factor("prior", prior.log_prob(means).sum())
        else:
            means = numpyro.sample("means", prior.expand([2]).to_event(1))
        weights, sigma = jnp.array(WEIGHTS), mixture.sigma  # type: Any, Any
        if mixture.spread is not None:
            weights, sigma = _spread(mixture.spread)
        likelihoods.WRITE[likelihood](weights, means, sigma, x)

    return Model(model, mixture, likelihood == ENUMERATED)


def _spread(spread: Spread) -> Tuple[Any, Any]:
    """Weights and standard deviations that are unknown."""
    half = dist.HalfNormal(spread.sigma_scale).expand([2]).to_event(1)
    sigmas = numpyro.sample("sigmas", half)
    theta = numpyro.sample("theta", dist.Beta(*spread.weight))
    return jnp.stack([theta, 1 - theta]), sigmas


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of the potential energy that NumPyro hands to its samplers."""
    potential = partial(potential_energy, model)
    if model.enumerated:
        from numpyro.contrib.funsor import enum

        # The labels' plate takes the last dimension.
        potential = partial(potential_energy, enum(model, first_available_dim=-2), enum=True)

    def log_density(point: Any) -> Any:
        return -potential((), {}, by_variable(model.mixture, point))

    return in_jax.evaluator(log_density, len(model.mixture.parameters))


def density(model: Any, points: np.ndarray) -> Density:
    """Values and gradients of `evaluator`."""
    return density_at(evaluator(model), points)


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; the draws are those of a plain sequential `MCMC.run`."""
    starts = [by_variable(job.case.model, start) for start in jnp.asarray(job.starts)]
    kernel = _gibbs(model) if job.case.likelihood == DISCRETE else _nuts(model)
    return sequential(kernel, starts, joined, job)


def _nuts(model: Any) -> Kernel:
    return Kernel(partial(NUTS, model), _variables)


def _gibbs(model: Any) -> Kernel:
    """Labels first, then NUTS, which evaluates its gradient anew wherever they have changed."""

    def make(**settings: Any) -> Any:
        return DiscreteHMCGibbs(NUTS(model, **settings))

    return Kernel(make, _variables, state="hmc_state.", again=1)


def _variables(samples: Any) -> Any:
    return {name: samples[name] for name in VARIABLES if name in samples}


def sequential(
    kernel: Kernel,
    starts: Sequence[Any],
    as_parameters: Callable[[Any], np.ndarray],
    job: Job,
) -> Measured:
    """NUTS, one chain after another.

    Parameters
    ----------
    starts : one for each chain, in the form in which the kernel has a point
    as_parameters : turns what was drawn into parameters, shape (chains, draws, d)
    """
    settings = cast(NutsSettings, job.case.settings)
    warm_up, draw = phases(kernel, settings, {})
    key = jax.random.PRNGKey(job.case.seed)
    keys = list(jax.random.split(key, settings.chains)) if settings.chains > 1 else [key]
    measured = in_jax.sequential(
        warm_up, draw, list(zip(keys, starts)), as_parameters, settings.max_treedepth
    )
    return measured._replace(shims=SHIMS)


def at_once(chain_method: str, model: Any, job: Job) -> Measured:
    """NUTS, all chains at the same time, by a way that NumPyro has for it."""
    settings = cast(NutsSettings, job.case.settings)
    together = {"num_chains": settings.chains, "chain_method": chain_method}
    warm_up, draw = phases(_nuts(model), settings, together)
    measured = in_jax.at_once(
        warm_up,
        draw,
        jax.random.PRNGKey(job.case.seed),
        by_variable(job.case.model, jnp.asarray(job.starts)),
        joined,
        settings.max_treedepth,
    )
    return measured._replace(shims=SHIMS)


def phases(
    kernel: Kernel,
    settings: NutsSettings,
    chains: Dict[str, Any],
) -> Tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
    """Warm-up of a key and a start, and sampling of the state that it leaves.

    Parameters
    ----------
    chains : arguments of `MCMC` that say how many there are, and how they run
    """
    grouped = {"group_by_chain": True} if chains else {}
    steps = kernel.state + "num_steps"

    def mcmc() -> Any:
        made = kernel.make(
            target_accept_prob=settings.target_accept, max_tree_depth=settings.max_treedepth
        )
        counts = {"num_warmup": settings.warmup, "num_samples": settings.draws}
        return MCMC(made, **counts, **chains, progress_bar=False)

    def warm_up(key: Any, start: Any) -> Tuple[Any, Any]:
        chain = mcmc()
        chain.warmup(key, init_params=start, collect_warmup=True, extra_fields=(steps,))
        return chain.post_warmup_state, chain.get_extra_fields()[steps] + kernel.again

    def draw(state: Any) -> Tuple[Any, Any]:
        chain = mcmc()
        if _OLD_KERNEL:
            chain.sampler.init(state.rng_key, settings.warmup)
        chain.post_warmup_state = state
        # The kernel is set up anew, at a point that its state then replaces.
        told = [kernel.state + name for name in ("num_steps", "energy", "diverging")]
        chain.run(state.rng_key, init_params=state.z, extra_fields=tuple(told))
        found = chain.get_extra_fields(**grouped)
        statistics = {name[len(kernel.state) :]: found[name] for name in told}
        statistics["gradients"] = found[steps] + kernel.again
        return kernel.position(chain.get_samples(**grouped)), statistics

    return warm_up, draw


def fit_advi(model: Any, job: Job) -> Measured:
    """SVI with a normal guide, one particle; the fit is that of a plain `SVI.run`.

    Its scale is a softplus of what Adam moves, as in PyMC.
    """
    settings = cast(AdviSettings, job.case.settings)
    mean_field = settings.family == "mean-field"
    family = AutoNormal if mean_field else AutoMultivariateNormal
    guided, loss = model, Trace_ELBO()
    if model.enumerated:
        guided, loss = block(seed(model, rng_seed=0), hide=["labels"]), TraceEnum_ELBO()
    if settings.optimizer == "library":
        guide = family(guided)
        optimizer = numpyro.optim.Adam(LIBRARY_STEP_SIZE)
    else:
        start = constrained(job.case.model, job.starts[:1])[0]
        guide = family(
            guided,
            init_loc_fn=init_to_value(values={"means": jnp.asarray(start)}),
            init_scale=settings.initial_scale,
        )
        optimizer = numpyro.optim.Adam(settings.learning_rate)
    svi = SVI(model, guide, optimizer, loss)
    key = jax.random.PRNGKey(job.case.seed)

    def optimize(state: Any) -> Any:
        return svi.run(key, settings.steps, progress_bar=False, init_state=state)

    before = len(in_jax.compilations)
    begun = time.perf_counter()
    state = svi.init(key)
    optimize_compiled = jax.jit(optimize).lower(state).compile()
    compiled = time.perf_counter()
    result = jax.block_until_ready(optimize_compiled(state))
    fitted = time.perf_counter()
    compiled_again = len(in_jax.compilations) - before
    # A key of its own: the fit has used up `key`.
    draws = guide.sample_posterior(
        jax.random.fold_in(key, 1), result.params, sample_shape=(settings.draws,)
    )
    location, factor = MEAN_FIELD if mean_field else FULL_RANK
    found = np.asarray(result.params[factor])
    return Measured(
        Fit(
            trace=np.asarray(result.losses),
            location=np.asarray(result.params[location]),
            cholesky=np.diag(found) if mean_field else found,
            means=np.asarray(draws["means"]),
        ),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(compilations=compiled_again),
        tuple(name for name in SHIMS if name != KERNEL_SETUP),
    )


def fit_laplace(model: Any, job: Job) -> Measured:
    """`AutoLaplaceApproximation`: `fit_s` is Adam's way to the mode, and the curvature there."""
    if model.enumerated:
        raise NotImplementedError("AutoLaplaceApproximation sums over no labels")
    settings = cast(LaplaceSettings, job.case.settings)
    start = constrained(job.case.model, job.starts[:1])[0]
    at_start = init_to_value(values={"means": jnp.asarray(start)})
    guide = AutoLaplaceApproximation(model, init_loc_fn=at_start)
    svi = SVI(model, guide, numpyro.optim.Adam(settings.learning_rate), Trace_ELBO())
    key = jax.random.PRNGKey(job.case.seed)

    def fit(state: Any) -> Any:
        result = svi.run(key, settings.steps, progress_bar=False, init_state=state)
        normal = guide.get_posterior(result.params)
        return normal.loc, normal.scale_tril, result.params

    before = len(in_jax.compilations)
    begun = time.perf_counter()
    state = svi.init(key)
    fit_compiled = jax.jit(fit).lower(state).compile()
    compiled = time.perf_counter()
    location, cholesky, params = jax.block_until_ready(fit_compiled(state))
    fitted = time.perf_counter()
    compiled_again = len(in_jax.compilations) - before
    draws = guide.sample_posterior(
        jax.random.fold_in(key, 1), params, sample_shape=(settings.draws,)
    )
    return Measured(
        Fit(None, np.asarray(location), np.asarray(cholesky), np.asarray(draws["means"])),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(compilations=compiled_again),
        tuple(name for name in SHIMS if name != KERNEL_SETUP),
    )

"""NumPyro 0.10 to 0.22: NUTS, and SVI with a mean-field normal guide.

Everything timed is compiled ahead of time: `MCMC` and `SVI.run` are traced whole under
`jax.jit`, lowered, compiled, and only then called, so no phase holds a compilation. A plain
`MCMC.run` gives the same draws but compiles its loop again for each chain, which JAX's
asynchronous dispatch overlaps with the chain before: no clock around it tells the two apart.
"""

import os
import time
from typing import Any, Callable, List, Tuple, cast

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, SVI, Trace_ELBO, init_to_value
from numpyro.infer.autoguide import AutoNormal
from numpyro.infer.util import potential_energy

from gmixbench.measured.points import constrained
from gmixbench.record import Counters, Density, Draws, Fit, Job, Measured, Timing
from gmixbench.spec import WEIGHTS, AdviSettings, NutsSettings

PACKAGES = ("numpyro", "jax", "jaxlib", "scipy")


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

_compilations: List[str] = []


def _note_compilation(event: str, *_: Any, **__: Any) -> None:
    if event.endswith("backend_compile_duration"):
        _compilations.append(event)


jax.monitoring.register_event_duration_secs_listener(_note_compilation)


def build(job: Job) -> Any:
    """Model function without arguments; one latent site, `means`."""
    numpyro.enable_x64()
    mixture = job.case.model
    prior = dist.Normal(mixture.prior.mean, mixture.prior.scale)
    weights = jnp.array(WEIGHTS)
    x = jnp.asarray(job.x)

    def model() -> None:
        if mixture.ordered:
            # TransformedDistribution(prior, OrderedTransform) would be another prior.
            support = dist.constraints.ordered_vector
            means = numpyro.sample("means", dist.ImproperUniform(support, (), event_shape=(2,)))
            numpyro.factor("prior", prior.log_prob(means).sum())
        else:
            means = numpyro.sample("means", prior.expand([2]).to_event(1))
        components = dist.Normal(means, mixture.sigma)
        mixing = dist.Categorical(probs=weights)
        numpyro.sample("obs", dist.MixtureSameFamily(mixing, components), obs=x)

    return model


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of the potential energy that NumPyro hands to its samplers."""

    def log_density(point: Any) -> Any:
        return -potential_energy(model, (), {}, {"means": point})

    compiled = jax.jit(jax.value_and_grad(log_density))

    def evaluate(point: np.ndarray) -> Tuple[Any, Any]:
        value, gradient = jax.block_until_ready(compiled(point))
        return value, gradient

    evaluate(np.zeros(2))
    return evaluate


def density(model: Any, points: np.ndarray) -> Density:
    """Values and gradients of `evaluator`."""
    values, gradients = zip(*map(evaluator(model), points))
    return Density(points=points, values=np.array(values), gradients=np.array(gradients))


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; the draws are those of a plain sequential `MCMC.run`."""
    settings = cast(NutsSettings, job.case.settings)

    def mcmc() -> Any:
        kernel = NUTS(
            model,
            target_accept_prob=settings.target_accept,
            max_tree_depth=settings.max_treedepth,
        )
        return MCMC(
            kernel, num_warmup=settings.warmup, num_samples=settings.draws, progress_bar=False
        )

    def warm_up(key: Any, start: Any) -> Tuple[Any, Any]:
        chain = mcmc()
        chain.warmup(
            key, init_params={"means": start}, collect_warmup=True, extra_fields=("num_steps",)
        )
        return chain.post_warmup_state, chain.get_extra_fields()["num_steps"]

    def draw(state: Any) -> Tuple[Any, Any]:
        chain = mcmc()
        if _OLD_KERNEL:
            chain.sampler.init(state.rng_key, settings.warmup)
        chain.post_warmup_state = state
        chain.run(state.rng_key, extra_fields=("num_steps", "energy", "diverging"))
        return chain.get_samples()["means"], chain.get_extra_fields()

    key = jax.random.PRNGKey(job.case.seed)
    keys = list(jax.random.split(key, settings.chains)) if settings.chains > 1 else [key]
    chains = list(zip(keys, jnp.asarray(job.starts)))

    before = len(_compilations)
    begun = time.perf_counter()
    jitted = jax.jit(warm_up)
    state_shape, _ = jax.eval_shape(jitted, *chains[0])
    warm_up_compiled = jitted.lower(*chains[0]).compile()
    draw_compiled = jax.jit(draw).lower(state_shape).compile()
    compile_s = time.perf_counter() - begun

    warmup_s = 0.0
    seconds = []
    gradients_warmup = 0
    drawn = []
    for chain_key, start in chains:
        begun = time.perf_counter()
        state, steps = jax.block_until_ready(warm_up_compiled(chain_key, start))
        warm = time.perf_counter()
        means, statistics = jax.block_until_ready(draw_compiled(state))
        done = time.perf_counter()
        warmup_s += warm - begun
        seconds.append(done - warm)
        gradients_warmup += int(np.sum(steps))
        drawn.append(dict(statistics, means=means))
    compilations = len(_compilations) - before

    arrays = {name: np.stack([chain[name] for chain in drawn]) for name in drawn[0]}
    gradients = arrays["num_steps"]
    return Measured(
        Draws(
            means=arrays["means"],
            energy=arrays["energy"],
            diverging=arrays["diverging"],
            # NumPyro does not say so itself: a tree of full depth has this many leapfrog steps.
            at_max_treedepth=gradients >= 2**settings.max_treedepth - 1,
            gradients=gradients,
            seconds=np.array(seconds),
        ),
        Timing(compile_s=compile_s, warmup_s=warmup_s, sample_s=sum(seconds)),
        Counters(
            gradients_warmup=gradients_warmup,
            gradients_sample=int(np.sum(gradients)),
            compilations=compilations,
        ),
        SHIMS,
    )


def fit_advi(model: Any, job: Job) -> Measured:
    """SVI with `AutoNormal`, one particle; the fit is that of a plain `SVI.run`.

    Its scale is a softplus of what Adam moves, as in PyMC.
    """
    settings = cast(AdviSettings, job.case.settings)
    if settings.optimizer == "library":
        guide = AutoNormal(model)
        optimizer = numpyro.optim.Adam(LIBRARY_STEP_SIZE)
    else:
        start = constrained(job.case.model, job.starts[:1])[0]
        guide = AutoNormal(
            model,
            init_loc_fn=init_to_value(values={"means": jnp.asarray(start)}),
            init_scale=settings.initial_scale,
        )
        optimizer = numpyro.optim.Adam(settings.learning_rate)
    svi = SVI(model, guide, optimizer, Trace_ELBO())
    key = jax.random.PRNGKey(job.case.seed)

    def optimize(state: Any) -> Any:
        return svi.run(key, settings.steps, progress_bar=False, init_state=state)

    before = len(_compilations)
    begun = time.perf_counter()
    state = svi.init(key)
    optimize_compiled = jax.jit(optimize).lower(state).compile()
    compiled = time.perf_counter()
    result = jax.block_until_ready(optimize_compiled(state))
    fitted = time.perf_counter()
    compilations = len(_compilations) - before
    # A key of its own: the fit has used up `key`.
    draws = guide.sample_posterior(
        jax.random.fold_in(key, 1), result.params, sample_shape=(settings.draws,)
    )
    return Measured(
        Fit(
            trace=np.asarray(result.losses),
            location=np.asarray(result.params["means_auto_loc"]),
            scale=np.asarray(result.params["means_auto_scale"]),
            means=np.asarray(draws["means"]),
        ),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(compilations=compilations),
        tuple(name for name in SHIMS if name != KERNEL_SETUP),
    )

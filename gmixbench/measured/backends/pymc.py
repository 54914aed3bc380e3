"""PyMC 4.0 to 6.4: its own NUTS, beside Gibbs steps where labels are sampled, and `pm.ADVI`.

`compile_s` runs from the built model to the first warm-up draw, and from chain to chain; or over
the first optimization step. PyTensor (Aesara in PyMC 4) compiles when a function is made and, under
Numba, once more when it is first called. Warm-up and sampling are read off the clock that PyMC's
sampler statistics carry.
"""

import time
from functools import wraps
from typing import Any, Callable, Dict, List, Tuple, cast

import numpy as np
import pymc as pm

from gmixbench.measured.backends import fits_pymc
from gmixbench.measured.backends import likelihoods_pymc as likelihoods
from gmixbench.measured.backends import shims_pymc as shims
from gmixbench.measured.points import by_variable, constrained, density_at, drawn, joined
from gmixbench.record import Counters, Density, Draws, Fit, Job, Measured, Timing
from gmixbench.spec import (
    DISCRETE,
    ENUMERATED,
    LOGSUMEXP,
    MIXTURE,
    WEIGHTS,
    AdviSettings,
    NutsSettings,
    Spread,
)

PACKAGES = ("pymc", "pytensor", "aesara", "numba", "llvmlite", "pymc-extras", "arviz", "scipy")

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED, DISCRETE)


def build(job: Job) -> Any:
    """`pm.Model` of the job; a free variable `means`, and `labels` where they are sampled.

    A general mixture has `sigmas` and `theta` too.
    """
    mixture = job.case.model
    prior_mean, prior_scale, sigma = np.array(
        [mixture.prior.mean, mixture.prior.scale, mixture.sigma]
    )
    ordering = {"transform": shims.ordered()} if mixture.ordered else {}
    with pm.Model() as model:
        means = pm.Normal("means", mu=prior_mean, sigma=prior_scale, shape=2, **ordering)
        weights, sigmas = np.array(WEIGHTS), sigma
        if mixture.spread is not None:
            weights, sigmas = _spread(mixture.spread)
        likelihoods.WRITE[job.case.likelihood](weights, means, sigmas, job.x)
    model = likelihoods.finished(model, job.case.likelihood)
    if mixture.ordered:
        # PyMC's own initial point is the prior mean for both, where the transform is not finite.
        model.set_initval(model["means"], prior_mean + sigma * np.array([-1.0, 1.0]))
    return model


def _spread(spread: Spread) -> Tuple[Any, Any]:
    """Weights and standard deviations that are unknown."""
    scale, first, second = np.array([spread.sigma_scale, *spread.weight])
    sigmas = pm.HalfNormal("sigmas", sigma=scale, shape=2)
    theta = pm.Beta("theta", alpha=first, beta=second)
    return pm.math.stack([theta, 1 - theta]), sigmas


def by_value(model: Any, point: Any) -> List[Any]:
    """Value of each free variable at an unconstrained point, in the order that PyMC has them."""
    shapes = [np.shape(value) for value in model.initial_point().values()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    begins = [0, *ends[:-1]]
    return [point[a:b].reshape(shape) for a, b, shape in zip(begins, ends, shapes)]


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of the compiled function that PyMC hands to its samplers."""
    function = shims.logp_dlogp_function(model)
    raveled = not shims.NEEDED[shims.SEPARATE_INPUTS]
    size = sum(map(np.size, model.initial_point().values()))

    def evaluate(point: np.ndarray) -> Tuple[Any, Any]:
        inputs = [point] if raveled else by_value(model, point)
        value, gradient = function([part.astype(function.dtype) for part in inputs], extra_vars={})
        return value, gradient

    evaluate(np.zeros(size))  # Numba compiles on the first call
    return evaluate


def density(model: Any, points: np.ndarray) -> Density:
    """Values and gradients of `evaluator`."""
    return density_at(evaluator(model), points)


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; the draws are those of a bare `pm.sample`.

    A gradient evaluation is a leapfrog step, or the one at the start of each draw, which PyMC
    does not keep from the draw before.
    """
    settings = cast(NutsSettings, job.case.settings)
    start_values = [
        by_variable(job.case.model, values) for values in constrained(job.case.model, job.starts)
    ]
    steps = _gibbs if job.case.likelihood == DISCRETE else _nuts
    begun = time.perf_counter()
    with model:
        step = steps(model, job, start_values)
        trace = pm.sample(
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=1,
            step=step,
            initvals=start_values,
            random_seed=job.case.seed,
            progressbar=False,
            compute_convergence_checks=False,
            discard_tuned_samples=False,
            **shims.own_nuts(),
        )
    warmup, sampling = trace["warmup_sample_stats"], trace["sample_stats"]
    first = warmup["perf_counter_start"].values[:, 0]
    # A draw begins with its labels, where they are sampled, and the clock is that of NUTS.
    tuned = (warmup["perf_counter_start"] + warmup["perf_counter_diff"]).values[:, -1]
    last = (sampling["perf_counter_start"] + sampling["perf_counter_diff"]).values[:, -1]
    gradients = sampling["n_steps"].values.astype(int) + 1
    return Measured(
        Draws(
            **drawn(joined(trace["posterior"])),
            energy=sampling["energy"].values,
            diverging=sampling["diverging"].values.astype(bool),
            at_max_treedepth=shims.reached_max_treedepth(sampling, settings.max_treedepth),
            gradients=gradients,
            seconds=last - tuned,
        ),
        Timing(
            # What lies between chains makes the next one ready: PyMC 4 compiles there again.
            compile_s=float(first[0] - begun + np.sum(first[1:] - last[:-1])),
            warmup_s=float(np.sum(tuned - first)),
            sample_s=float(np.sum(last - tuned)),
        ),
        Counters(
            gradients_warmup=int(np.sum(warmup["n_steps"].values + 1)),
            gradients_sample=int(np.sum(gradients)),
        ),
        shims.in_force(job.case),
    )


def _nuts(_: Any, job: Job, start_values: List[Dict[str, np.ndarray]]) -> Any:
    settings = cast(NutsSettings, job.case.settings)
    points, step = pm.init_nuts(
        init="adapt_diag",
        chains=settings.chains,
        tune=settings.warmup,
        initvals=start_values,
        random_seed=job.case.seed,
        progressbar=False,
        target_accept=settings.target_accept,
        max_treedepth=settings.max_treedepth,
    )
    _called(step, points[0])
    return step


def _gibbs(model: Any, job: Job, _: List[Dict[str, np.ndarray]]) -> Any:
    """Steps of a draw: labels first, so that a chain starts where the job says the means are."""
    settings = cast(NutsSettings, job.case.settings)
    labels = pm.CategoricalGibbsMetropolis([model["labels"]])
    others = pm.NUTS(
        [variable for variable in model.free_RVs if variable.name != "labels"],
        target_accept=settings.target_accept,
        max_treedepth=settings.max_treedepth,
    )
    point = model.initial_point()
    for log_density in labels.fs:
        log_density(point)
    _called(others, point)
    return [labels, others]


def _called(step: Any, point: Dict[str, np.ndarray]) -> None:
    # Numba compiles on the first call, which would else fall into the first chain's warm-up.
    others = dict(point)
    own = {value.name: others.pop(value.name) for value in step.vars}
    start = pm.blocking.DictToArrayBijection.map(own).data
    step._logp_dlogp_func([start], extra_vars=others)  # noqa: SLF001  # no public way to it


def fit_advi(model: Any, job: Job) -> Measured:
    """Mean-field or full-rank ADVI; the fit is that of a bare `pm.fit`.

    The first step compiles and `fit_s` is the time of the others.
    """
    settings = cast(AdviSettings, job.case.settings)
    seed, mean_field = job.case.seed, settings.family == "mean-field"
    begun = time.perf_counter()
    with model:
        if settings.optimizer == "library":
            advi = (pm.ADVI if mean_field else pm.FullRankADVI)(random_seed=seed)
            advi.fit(1, progressbar=False)
        else:
            start = constrained(job.case.model, job.starts[:1])[0]
            make = shims.advi if mean_field else full_rank
            advi = make(model, start, settings.initial_scale, seed)
            optimizer = pm.adam(learning_rate=settings.learning_rate)
            advi.fit(1, obj_optimizer=optimizer, progressbar=False)
    compiled = time.perf_counter()
    advi.refine(settings.steps - 1, progressbar=False)
    fitted = time.perf_counter()
    with model:  # 6.0 asks for it
        draws = advi.approx.sample(settings.draws, random_seed=seed)
    return Measured(
        Fit(
            trace=advi.hist,
            location=advi.approx.mean.eval(),
            cholesky=np.linalg.cholesky(advi.approx.cov.eval()),
            means=draws["posterior"]["means"].values[0],
        ),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(),
        shims.in_force(job.case),
    )


def full_rank(_: Any, start: np.ndarray, scale: float, seed: int) -> Any:
    """`pm.FullRankADVI` that starts at means of shape (2,), independent, each with that scale.

    PyMC has no argument for the scale. What it optimizes is the lower factor by rows, with softplus
    on its diagonal.
    """
    found = pm.FullRankADVI(start={"means": start}, random_seed=seed)
    rho = np.log(np.expm1(scale))
    found.approx.params_dict["L_tril"].set_value(np.array([rho, 0.0, rho]))
    return found


fit_pathfinder, fit_laplace = fits_pymc.pathfinder, fits_pymc.laplace


def in_mode(mode: str) -> Tuple[Callable[..., Any], ...]:
    """All of the contract but `build`, with what PyTensor compiles compiled in another mode."""
    import pytensor

    def within(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any) -> Any:
            with pytensor.config.change_flags(mode=mode):
                return function(*arguments)

        return call

    functions: Tuple[Any, ...] = (
        evaluator,
        density,
        sample,
        fit_advi,
        fit_pathfinder,
        fit_laplace,
    )
    return tuple(map(within, functions))

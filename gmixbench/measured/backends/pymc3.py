"""PyMC3 3.5 to 3.11, on Theano: its own NUTS, and `pm.ADVI`.

The keywords are those that every one of these versions takes: `sd` and `testval`, though later
ones also know `sigma` (3.7, May 2019) and `initval` (3.11.5, March 2022). `compile_s` is the time
in which no draw is made: from the built model to the first warm-up draw, and between chains,
where PyMC3 compiles the function that writes the next one down; or over the first optimization
step.
"""

import time
from typing import Any, Callable, List, Tuple, cast

import numpy as np
import pymc3 as pm
import theano

from gmixbench.measured.points import density_at
from gmixbench.record import Counters, Density, Draws, Fit, Job, Measured, Timing
from gmixbench.spec import MIXTURE, WEIGHTS, AdviSettings, NutsSettings

PACKAGES = ("pymc3", "theano", "theano-pymc", "arviz", "scipy")

LIKELIHOODS = (MIXTURE,)

INITIAL_SCALE = "initial-scale"
"""In 3.5 to 3.11.5 (2018-07 to 2022-03): ADVI takes a start but no initial scale, which PyMC 4.2
(2022-09) has as `start_sigma`; it begins at log 2. So the variable that holds the scale is set
before the first step.
"""


def build(job: Job) -> Any:
    """`pm.Model` of the job; one free variable, `means`.

    Raises
    ------
    RuntimeError
        Theano found no C++ compiler and would run everything in Python, many times slower.
    """
    if not theano.config.cxx:
        raise RuntimeError("Theano needs a C++ compiler and found none (theano.config.cxx)")
    mixture = job.case.model
    if mixture.spread is not None:
        raise NotImplementedError("PyMC3 is measured on the models of two means alone")
    prior, sigma = mixture.prior, mixture.sigma
    ordering = {}
    if mixture.ordered:
        # PyMC3's own initial point is the prior mean for both, where the transform is not finite.
        ordering = {
            "transform": pm.distributions.transforms.ordered,
            "testval": prior.mean + sigma * np.array([-1.0, 1.0]),
        }
    with pm.Model() as model:
        means = pm.Normal("means", mu=prior.mean, sd=prior.scale, shape=2, **ordering)
        pm.NormalMixture("obs", w=np.array(WEIGHTS), mu=means, sd=sigma, observed=job.x)
    return model


def evaluator(model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of the compiled function that PyMC3 hands to its samplers."""
    function = model.logp_dlogp_function()

    def evaluate(point: np.ndarray) -> Tuple[Any, Any]:
        value, gradient = function(point.astype(function.dtype), extra_vars={})
        return value, gradient

    return evaluate


def density(model: Any, points: np.ndarray) -> Density:
    """Values and gradients of `evaluator`."""
    return density_at(evaluator(model), points)


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; the draws are those of a bare `pm.sample`.

    A gradient evaluation is a leapfrog step (`tree_size`), or the one at the start of each draw,
    which PyMC3 does not keep from the draw before. Up to 3.8 a chain goes on with the step size
    and the mass matrix of the chain before it, as a bare `pm.sample(cores=1)` does.
    """
    settings = cast(NutsSettings, job.case.settings)
    begun = time.perf_counter()
    with model:
        _, step = pm.init_nuts(
            init="adapt_diag",
            chains=settings.chains,
            random_seed=job.case.seed,
            progressbar=False,
            target_accept=settings.target_accept,
            max_treedepth=settings.max_treedepth,
        )
        marks = _marked(step)
        trace = pm.sample(
            draws=settings.draws,
            tune=settings.warmup,
            chains=settings.chains,
            cores=1,
            step=step,
            start=[_start(model, point) for point in job.starts],
            random_seed=job.case.seed,
            progressbar=False,
            compute_convergence_checks=False,
            discard_tuned_samples=False,
        )
    first, tuned, last = np.reshape(marks, (settings.chains, 3)).T

    def by_chain(name: str) -> np.ndarray:
        return np.array(trace.get_sampler_stats(name, combine=False))

    gradients = by_chain("tree_size").astype(int) + 1
    after = np.s_[:, settings.warmup :]
    return Measured(
        Draws(
            means=np.array(trace.get_values("means", combine=False))[after],
            energy=by_chain("energy")[after],
            diverging=by_chain("diverging")[after].astype(bool),
            at_max_treedepth=by_chain("depth")[after] >= settings.max_treedepth,
            gradients=gradients[after],
            seconds=last - tuned,
        ),
        Timing(
            compile_s=float(first[0] - begun + np.sum(first[1:] - last[:-1])),
            warmup_s=float(np.sum(tuned - first)),
            sample_s=float(np.sum(last - tuned)),
        ),
        Counters(
            gradients_warmup=int(np.sum(gradients[:, : settings.warmup])),
            gradients_sample=int(np.sum(gradients[after])),
        ),
    )


def _start(model: Any, point: np.ndarray) -> Any:
    # By the name of the unconstrained variable, so that PyMC3 starts at this very point.
    return {model.vars[0].name: point}


def _marked(step: Any) -> List[float]:
    """Clock readings of each chain to come: at its first draw, at the end of warm-up, at its end.

    Sampler statistics carry a clock from 3.9 on only. `pm.sample` calls `stop_tuning` once a
    chain, and `warnings` when the chain is done; between them each draw costs what it always does.
    """
    marks = []  # type: List[float]
    plain = type(step)

    def first(point: Any) -> Any:
        del step.step
        marks.append(time.perf_counter())
        return step.step(point)

    def stop_tuning() -> None:
        marks.append(time.perf_counter())
        plain.stop_tuning(step)

    def warnings() -> Any:
        marks.append(time.perf_counter())
        step.step = first
        return plain.warnings(step)

    step.step, step.stop_tuning, step.warnings = first, stop_tuning, warnings
    return marks


def fit_advi(model: Any, job: Job) -> Measured:
    """Mean-field ADVI; the fit is that of a bare `pm.fit`.

    The first step compiles and `fit_s` is the time of the others.
    """
    settings = cast(AdviSettings, job.case.settings)
    if settings.family != "mean-field":
        raise NotImplementedError("PyMC3 is measured by its mean-field ADVI alone")
    seed, matched = job.case.seed, settings.optimizer == "adam"
    begun = time.perf_counter()
    with model:
        if matched:
            advi = pm.ADVI(start=_start(model, job.starts[0]), random_seed=seed)
            # PyMC3's scale is softplus(rho).
            rho = np.full(2, np.log(np.expm1(settings.initial_scale)))
            advi.approx.params_dict["rho"].set_value(rho)
            optimizer = pm.adam(learning_rate=settings.learning_rate)
            advi.fit(1, obj_optimizer=optimizer, progressbar=False)
        else:
            advi = pm.ADVI(random_seed=seed)
            advi.fit(1, progressbar=False)
    compiled = time.perf_counter()
    advi.refine(settings.steps - 1, progressbar=False)
    fitted = time.perf_counter()
    draws = advi.approx.sample(settings.draws)
    return Measured(
        Fit(
            trace=advi.hist,
            location=advi.approx.mean.eval(),
            cholesky=np.diag(advi.approx.std.eval()),
            means=draws["means"],
        ),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(),
        (INITIAL_SCALE,) if matched else (),
    )

"""Pathfinder and Laplace of pymc-extras, on PyMC's model.

pymc-extras is imported when it is asked for; what that takes is in no phase.
"""

import time
from typing import Any, List, cast

import numpy as np

from gmixbench.measured.normals import normal_of
from gmixbench.measured.points import constrained
from gmixbench.record import Counters, Fit, Job, Measured, Timing
from gmixbench.spec import LaplaceSettings, PathfinderSettings

NO_SINGLE_PATH = "this pymc-extras lets no single path be called: 0.12 does"


def pathfinder(model: Any, job: Job) -> Measured:
    """One path, from the job's start: what `fit_pathfinder` runs for each of its own.

    The first call compiles and does not count; `fit_s` is the second, its draws included. The
    normal is the one that it draws from, by the log density that it tells of each draw.
    """
    try:
        from pymc_extras.inference.pathfinder.lbfgs import LBFGSConfig
        from pymc_extras.inference.pathfinder.single_path import make_single_pathfinder_fn
    except ImportError as error:
        if error.name == "pymc_extras":
            raise
        raise NotImplementedError(NO_SINGLE_PATH)

    settings = cast(PathfinderSettings, job.case.settings)
    start = constrained(job.case.model, job.starts[:1])[0]
    model.set_initval(model["means"], start)
    begun = time.perf_counter()
    run = make_single_pathfinder_fn(
        model,
        num_draws=settings.draws,
        num_elbo_draws=settings.elbo_draws,
        jitter=0.0,  # the job says where to start
        lbfgs_config=LBFGSConfig(maxcor=settings.history, maxiter=settings.steps),
    )
    run(job.case.seed + 1)
    compiled = time.perf_counter()
    path = run(job.case.seed)
    fitted = time.perf_counter()
    if path.samples is None:
        told = "Pathfinder ended with {}, {}"
        raise RuntimeError(told.format(path.lbfgs_status.name, path.path_status.name))
    points = path.samples[0]
    return Measured(
        Fit(None, *normal_of(points, path.logQ[0]), constrained(job.case.model, points)),
        Timing(compile_s=compiled - begun, fit_s=fitted - compiled),
        Counters(),
    )


def laplace(model: Any, job: Job) -> Measured:
    """`fit_laplace` with its own optimizer, from the job's start.

    The first step of that optimizer compiles, and `fit_s` is the time of the others. What follows
    is in no phase: it compiles a function for the draws.
    """
    from pymc_extras.inference import fit_laplace

    settings = cast(LaplaceSettings, job.case.settings)
    start = constrained(job.case.model, job.starts[:1])[0]
    clock: List[float] = []
    begun = time.perf_counter()
    found = fit_laplace(
        model=model,
        initvals={"means": start},
        random_seed=job.case.seed,
        progressbar=False,
        draws=settings.draws,
        optimizer_kwargs={"callback": lambda *_, **__: clock.append(time.perf_counter())},
    )
    timing = Timing()
    if len(clock) > 1:
        timing = Timing(compile_s=clock[0] - begun, fit_s=clock[-1] - clock[0])
    return Measured(
        Fit(
            None,
            found["fit"]["mean_vector"].values,
            np.linalg.cholesky(found["fit"]["covariance_matrix"].values),
            found["posterior"]["means"].values[0],
        ),
        timing,
        Counters(),
    )

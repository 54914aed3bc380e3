"""The fits that the asv benchmarks read: each made once, and what became of it."""

import random
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

from gmixbench.lab import datasets, stacks
from gmixbench.lab.execute import Worker
from gmixbench.spec import DEFAULT_DATASET, MODELS, PROFILES, Case
from gmixbench.suite.asv_plan import (
    FIT_TIMEOUT,
    METHODS,
    Fits,
    Fitted,
    Key,
    Plan,
    backend_and_stack,
    locks,
)
from gmixbench.suite.fits import fit, stack_worker
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve


def fit_all(plan: Plan) -> Fits:
    """Fit both models by each method in each stack; whatever becomes of one, the others go on.

    In each round of fits all cases have one seed and come in random order, so that the machine's
    drift falls on all alike.
    """
    exact = solve(datasets.load(DEFAULT_DATASET).x, MODELS["unordered"])
    with tempfile.TemporaryDirectory(prefix="gmixbench-") as folder:
        workers = {name: _worker(name, Path(folder)) for name in plan.stacks}
        fits = {
            (name, model, method): Fitted() if isinstance(worker, Worker) else worker
            for (name, worker), model, method in product(workers.items(), MODELS, METHODS)
        }
        for seed in range(1, plan.fits + 1):  # PyMC up to 4 refuses 0 for ADVI
            order = [key for key, each in fits.items() if not (each.refused or each.absent)]
            random.Random(seed).shuffle(order)  # noqa: S311  # an order, no secret
            for key in order:
                worker = workers[key[0]]
                if isinstance(worker, Worker):
                    case = _case(key, plan.profile, seed)
                    fits[key] = _once_more(fits[key], case, exact, worker)
    return fits


def _worker(name: str, folder: Path) -> Worker | Fitted:
    try:
        _, stack = backend_and_stack(name)
        worker = stack_worker(stack, locks(), folder)
    except stacks.StackError as error:
        return Fitted(refused=str(error))
    return worker or Fitted(absent=f"not built: `gmixbench stacks build {name}` builds it")


def _case(key: Key, profile: str, seed: int) -> Case:
    name, model, method = key
    backend, stack = backend_and_stack(name)
    settings = PROFILES[profile].settings(method)
    return Case(DEFAULT_DATASET, MODELS[model], backend, method, settings, stack, seed)


def _once_more(fitted: Fitted, case: Case, exact: Exact, worker: Worker) -> Fitted:
    try:
        judged = fit(case, exact, timeout=FIT_TIMEOUT, worker=worker)
    except Exception as error:  # noqa: BLE001  # the other fits must not be lost with this one
        return Fitted(refused=f"seed {case.seed}: {error}")
    numbers = {
        name: None if value is None else float(value)
        for name, value in judged.scores.metrics.items()
    }
    return replace(fitted, metrics=(*fitted.metrics, numbers))

"""What the benchmarks share: which are made, and the fits, each made once."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec

import pytest

from gmixbench.lab import datasets, environment
from gmixbench.lab.plan import plan_cases
from gmixbench.lab.results import case_row
from gmixbench.measured.backends import BACKENDS
from gmixbench.measured.protocol import CORE_VARIABLE
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import DEFAULT_DATASET, MIXTURE, MODELS, Case
from gmixbench.suite.fits import RefusedError, fit
from gmixbench.suite.plugin import BACKEND, DATASET, PROFILE, REFUSED, ROUNDS
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

DEFAULT_BACKENDS = ("pymc", "numpyro")

DEFAULT_ROUNDS = 3

TIMEOUT = 1800.0
"""Seconds after which a fit is ended."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One benchmark for each model, data set and backend that the options ask for."""
    config = metafunc.config
    values = {
        "model": list(MODELS),
        "dataset": list(dict.fromkeys(config.getoption(DATASET) or [DEFAULT_DATASET])),
        "backend": list(dict.fromkeys(config.getoption(BACKEND) or DEFAULT_BACKENDS)),
    }
    for name, each in values.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, each)


@pytest.fixture(autouse=True)
def _installed(backend: str, pytestconfig: pytest.Config) -> None:
    """Skip a library that nobody asked for and that is missing; fail where none is left."""
    if not _missing(backend):
        return
    reason = f"{backend} is not installed: {BACKENDS[backend].install}"
    if pytestconfig.getoption(BACKEND) or all(map(_missing, DEFAULT_BACKENDS)):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)  # the other library is measured; CI has both


def _missing(backend: str) -> bool:
    # Each of these distributions is called as its package is.
    needed = BACKENDS[backend].packages if backend in BACKENDS else ()
    return any(find_spec(package) is None for package in needed)


@pytest.fixture(scope="module")
def _measured_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One core, one thread and float64, as in a process that is measured.

    A library that has been imported before keeps the threads it has started.
    """
    variables = environment.measured(tmp_path_factory.mktemp("caches"))
    core, before = variables.get(CORE_VARIABLE), None
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - variables:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        if core is not None:
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {int(core)})
        yield
        if before is not None:
            os.sched_setaffinity(0, before)


@pytest.fixture(scope="session")
def fits(pytestconfig: pytest.Config) -> Callable[[str, str, str, str], list[Judged]]:
    """Fits of a data set, model, backend and method, one for each seed; an invalid one fails."""
    profile = pytestconfig.getoption(PROFILE) or "quick"
    seeds = range(int(pytestconfig.getoption(ROUNDS) or DEFAULT_ROUNDS))

    @cache
    def exact(dataset: str) -> Exact:
        return solve(datasets.load(dataset).x, MODELS["ordered"])

    @cache
    def fitted(case: Case) -> Judged | RefusedError:
        try:
            return fit(case, exact(case.dataset), timeout=TIMEOUT)
        except RefusedError as error:
            return error  # so that it is not tried again for the next benchmark

    def make(dataset: str, model: str, backend: str, method: str) -> list[Judged]:
        found, refused = list[Judged](), list[str]()
        for case in plan_cases(
            profile=profile,
            models=[MODELS[model]],
            backends=[backend],
            methods=[method],
            datasets=[dataset],
            chains=None,
            starts="dispersed",
            seeds=seeds,
            likelihoods=[MIXTURE],
        ):
            each = fitted(case)
            if isinstance(each, RefusedError):
                words = f"{backend}, {model}, {dataset}, {method}, seed {case.seed}"
                refused.append(f"{words}: {each}")
                row = {**case_row(case), "valid": False, "reasons": each.reasons, "metrics": {}}
                rows = pytestconfig.stash.setdefault(REFUSED, [])
                rows += [] if row in rows else [row]
            else:
                found.append(each)
        if refused:
            pytest.fail("\n".join(refused), pytrace=False)
        return found

    return make

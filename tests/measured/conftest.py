"""Jobs small enough for a test."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.record import Job
from gmixbench.spec import MODELS, PROFILES, Case, NutsSettings

STARTS = {
    "unordered": np.array([[-1.2, 1.4], [1.3, -0.6]]),
    "ordered": np.array([[-1.2, 0.9], [-0.7, 0.5]]),
}

POINTS = np.random.default_rng(50).normal(0.0, 2.0, (50, 2))


@pytest.fixture(scope="session")
def make_job() -> Callable[..., Job]:
    """Job of a backend, on the unconstrained scale throughout."""

    def make(
        backend: str,
        model: str = "ordered",
        method: str = "nuts",
        dataset: str = "close",
        points: np.ndarray = POINTS,
        likelihood: str = "mixture",
        **settings: Any,
    ) -> Job:
        if method == "nuts":
            small: Any = NutsSettings(**{"chains": 2, "warmup": 200, "draws": 100, **settings})
        else:
            counts = {"steps": 200, "draws": 100, **settings}
            small = replace(PROFILES["quick"].settings(method), **counts)
        case = Case(dataset, MODELS[model], backend, method, small, seed=5, likelihood=likelihood)
        return Job(case, datasets.load(dataset).x, STARTS[model], points)

    return make

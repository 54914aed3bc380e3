"""One evaluation of log density and gradient, by the compiled function that the samplers call.

Timed in this process, on one core, from a point in NumPy to a value and a gradient in arrays of
the library's own. Both are held to the written density on the same data first.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gmixbench.lab import environment
from gmixbench.lab.results import case_row
from gmixbench.measured.backends import load
from gmixbench.record import Density, Job
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import density_metrics
from gmixbench.ruler.verdict import DENSITY_TOLERANCE
from gmixbench.spec import MODELS, Case, Mixture
from gmixbench.suite.entry import enter
from gmixbench.suite.plugin import UNUSED

pytestmark = [
    pytest.mark.usefixtures("_measured_environment"),
    # What a library warns of on import is not for its benchmark to judge.
    pytest.mark.filterwarnings("default", UNUSED),
]

POINTS = np.array([[-0.8, 0.6], [1.3, -0.9], [0.1, 0.2], [-12.0, 2.5], [30.0, 1.0]])
"""Unconstrained points, of both models: near a mode first, then off it, on a side, and far away,
where a sum of exponentials would underflow. The first is timed."""


@pytest.mark.parametrize("n", [100, 10_000, 1_000_000])
def test_density(benchmark: BenchmarkFixture, n: int, model: str, backend: str) -> None:
    """Seconds of one evaluation with `n` observations."""
    x = generated(n)
    case = Case(f"generated-{n}", MODELS[model], backend, "density")
    library = load(backend)
    evaluate = library.evaluator(library.build(Job(case, x, POINTS[:1], POINTS)))
    values, gradients = zip(*map(evaluate, POINTS), strict=True)
    found = Density(POINTS, np.array(values), np.array(gradients))
    metrics = checked(case.model, x, found)
    enter(
        benchmark,
        what="log density and gradient",
        timed="seconds of one evaluation",
        rows=[_row(case, n, metrics)],
    )
    benchmark(evaluate, POINTS[0])


@cache
def generated(n: int) -> np.ndarray:
    """Observations of two components at -1 and 1; not the same in every version of NumPy."""
    rng = np.random.default_rng(0)
    x: np.ndarray = rng.normal(np.array([-1.0, 1.0])[rng.integers(0, 2, n)], 1.0)
    return x


def checked(model: Mixture, x: np.ndarray, found: Density) -> dict[str, float | None]:
    """`density_error` and `density_constant`, of a library that agrees with the written density."""
    metrics = density_metrics(model, x, found)
    error, constant = metrics["density_error"], metrics["density_constant"]
    if error is None or not error <= DENSITY_TOLERANCE:
        pytest.fail(
            f"density_error {error:.2g} exceeds {DENSITY_TOLERANCE:g}: log density or gradient is "
            "not the model's",
            pytrace=False,
        )
    scale = max(1.0, float(np.abs(found.values).max()))
    if constant is None or not constant <= DENSITY_TOLERANCE * scale:
        pytest.fail(f"density_constant {constant:.6g} nats is not zero", pytrace=False)
    return metrics


def _row(case: Case, n: int, metrics: dict[str, float | None]) -> dict[str, Any]:
    return {
        **case_row(case),
        "settings": {"n": n},
        "valid": True,
        "labels": None,
        "converged": None,
        "reasons": [],
        "metrics": {**dict.fromkeys(METRICS), **metrics},
        "occupancy_by_chain": None,
        "environment": environment.describe(),
        "shims": [],
    }

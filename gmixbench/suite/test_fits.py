"""NUTS and ADVI, each fit in a fresh process and judged before its time is told.

Most of a process's time is its start: Python, imports, the check of the log density. Timed from
outside, a sampler that has become slower by a third would be lost in it. So the seconds that
pytest-benchmark shows, compares and draws are those that the measured process tells of one phase,
and each is of equal work:

- compilation, from empty caches, of what NUTS needs;
- sampling until the effective sample size is 1,000, after warm-up: longer trees that pay for
  themselves are no regression, and draws that are fast and alike no improvement;
- an optimization of a fixed number of steps, the same in every library.

A round is a fit with a seed of its own, so that their spread shows the luck of a seed, too; the
seeds are the same in every session. Benchmarks of one case share its fits.
"""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gmixbench.ruler.verdict import Judged
from gmixbench.suite.entry import CLOCK, enter_fits
from gmixbench.suite.plugin import UNUSED

Fits = Callable[[str, str, str, str], list[Judged]]

pytestmark = [
    pytest.mark.benchmark(timer=CLOCK),
    pytest.mark.filterwarnings(UNUSED),  # of a refused fit, which says itself why
]


def test_compile(
    benchmark: BenchmarkFixture, fits: Fits, model: str, dataset: str, backend: str
) -> None:
    """Seconds to compile what NUTS needs."""
    enter_fits(
        benchmark,
        what="compile, nuts",
        timed="seconds of compilation (compile_s)",
        fits=fits(dataset, model, backend, "nuts"),
        seconds=lambda metrics: metrics["compile_s"],
    )


def test_nuts(
    benchmark: BenchmarkFixture, fits: Fits, model: str, dataset: str, backend: str
) -> None:
    """Seconds of sampling until the ESS is 1,000."""
    enter_fits(
        benchmark,
        what="sampling to ESS 1000, nuts",
        timed="seconds of sampling until the ESS is 1,000 (1000 / ess_per_second)",
        fits=fits(dataset, model, backend, "nuts"),
        seconds=_to_ess_1000,
    )


def test_advi(
    benchmark: BenchmarkFixture, fits: Fits, model: str, dataset: str, backend: str
) -> None:
    """Seconds of all optimization steps."""
    enter_fits(
        benchmark,
        what="optimization, advi-matched",
        timed="seconds of optimization (fit_s)",
        fits=fits(dataset, model, backend, "advi-matched"),
        seconds=lambda metrics: metrics["fit_s"],
    )


def _to_ess_1000(metrics: dict[str, float | None]) -> float | None:
    rate = metrics["ess_per_second"]
    return 1000.0 / rate if rate else None

"""Processes of a comparison that are none: a run in no time, with a clock of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.comparison import blocks
from gmixbench.record import Counters, Density, Draws, Failure, Job, Record, Run, Timing
from gmixbench.ruler.comparison.nouns import Comparison, Task, Variant
from gmixbench.spec import COMPARE, MODELS
from gmixbench.truth import density
from gmixbench.truth.exact import Exact, solve

GRADIENTS = 7  # a draw

Fake = Callable[[Job], Record]


@pytest.fixture(scope="session")
def exact() -> Exact:
    return solve(datasets.load("close").x, MODELS["ordered"])


@pytest.fixture
def question() -> Callable[..., Comparison]:
    """Comparison of backends by name, before anything is measured."""

    def make(*names: str, **rest: Any) -> Comparison:
        variants = tuple(Variant(name, "here", name, {"python": "3.13"}, name) for name in names)
        given = {"band": 0.02, "alpha": 0.01, "seed": 1, "machine": {"cpu": "one"}} | rest
        return Comparison(
            variants, (Task(MODELS["ordered"], "nuts", COMPARE.nuts),), "close", **given
        )

    return make


@pytest.fixture
def measured_jobs(monkeypatch: pytest.MonkeyPatch, exact: Exact) -> list[Job]:
    """Put a fake in the place of processes; gives the jobs that it was asked for.

    Backend "slow" takes 1.2 times as long, "biased" is off by a standard deviation, "broken"
    fails, "stopped" is interrupted at its third process.
    """
    jobs: list[Job] = []

    def run_case(work: Job, out: Path, **_: Any) -> Record:
        jobs.append(work)
        if work.case.backend == "stopped" and sum(j.case.backend == "stopped" for j in jobs) == 3:
            raise KeyboardInterrupt
        (out / "runs").mkdir()
        return _record(work, exact)

    monkeypatch.setattr(blocks, "run_case", run_case)
    return jobs


def _record(work: Job, exact: Exact) -> Record:
    case, settings = work.case, work.case.settings
    if case.backend == "broken":
        return Failure(case, "exception", "ValueError: no")
    shape = (settings.chains, 300, 2)  # whatever is asked: scoring takes its time
    means = exact.draws(case.model, shape[0] * shape[1], np.random.default_rng(case.seed))
    if case.backend == "biased":
        means += exact.figures.sd[0]
    pace = 1e-5 * {"slow": 1.2}.get(case.backend, 1.0)
    noise = np.random.default_rng([case.seed, len(case.backend)]).normal(0, 0.003, settings.chains)
    seconds = pace * shape[1] * GRADIENTS * np.exp(noise)
    counts = np.full(shape[:2], GRADIENTS)
    points = work.points
    return Run(
        case,
        Timing(import_s=0.5, build_s=0.1, compile_s=2.0, warmup_s=1.0, sample_s=seconds.sum()),
        Counters(gradients_warmup=100, gradients_sample=int(counts.sum())),
        Density(points, *density.log_density(case.model, work.x, points)),
        Draws(means.reshape(shape), gradients=counts, seconds=seconds),
        {},
    )

"""Costs as the data grow: rows of sizes, none of whose speeds is shown that is not right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gmixbench.record import Cost, Failure
from gmixbench.ruler.growth import Growth, growth
from gmixbench.ruler.score import density_metrics
from gmixbench.ruler.verdict import density_faults
from gmixbench.spec import Case, GradientSettings


@dataclass(frozen=True)
class Truth:
    """What a library's density is from the written one, and what is wrong with it, if anything."""

    error: float | None
    faults: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Size:
    """Cost of a row at `n` observations.

    `cpu` are CPU seconds of a gradient evaluation, `wall` the same by the wall clock, one for each
    round; `None` where the density is wrong, and so is every phase. `memory` are the bytes that
    the process took from before the model was built to the most while it evaluated.
    """

    n: int
    truth: Truth
    cpu: np.ndarray | None
    wall: np.ndarray | None
    memory: int | None
    peak_memory: int | None
    compile_s: float | None
    total_s: float | None
    load: float | None

    @property
    def call_s(self) -> float | None:
        """Median of the CPU seconds."""
        return None if self.cpu is None else float(np.median(self.cpu))


@dataclass(frozen=True, eq=False)
class Row:
    """A backend, with its likelihood and model, as the data grow; `end` says why it ended."""

    name: str
    sizes: tuple[Size, ...]
    end: str | None
    time: Growth | None
    memory: Growth | None

    @property
    def right(self) -> tuple[Size, ...]:
        """Sizes whose density is right."""
        return tuple(size for size in self.sizes if size.cpu is not None)


def observations(case: Case) -> int:
    """How many observations a case has.

    Raises
    ------
    TypeError
        It does not time a gradient.
    """
    if not isinstance(case.settings, GradientSettings):
        raise TypeError(f"{case.method} says nothing of its observations")
    return case.settings.observations


def row_of(case: Case) -> str:
    """Name of a case's row."""
    return f"{case.row}, {case.model.name}"


def truth_of(cost: Cost, x: np.ndarray) -> Truth:
    """Hold a timed function against the written density of the same data."""
    metrics = density_metrics(cost.case.model, x, cost.density)
    values = cost.density.values
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    faults = density_faults(metrics, largest, ())
    return Truth(metrics["density_error"], tuple(faults))


def size_of(cost: Cost, truth: Truth) -> Size:
    """What a record tells, with no time where the density is wrong."""
    shown = not truth.faults
    known = cost.peak_gradient is not None and cost.resident is not None
    return Size(
        n=observations(cost.case),
        truth=truth,
        cpu=cost.call_cpu_s if shown else None,
        wall=cost.call_s if shown else None,
        memory=(cost.peak_gradient or 0) - (cost.resident or 0) if known else None,
        peak_memory=cost.timing.peak_memory,
        compile_s=cost.timing.compile_s if shown else None,
        total_s=cost.timing.total_s if shown else None,
        load=cost.load,
    )


def row(name: str, sizes: Sequence[Size], failures: Iterable[tuple[int, Failure]]) -> Row:
    """Row of its sizes, ascending, and of what ended it."""
    ends = [f"{failure.kind} at n = {n:,}: {failure.message}" for n, failure in failures]
    wrong = [f"wrong at n = {s.n:,}: {'; '.join(s.truth.faults)}" for s in sizes if s.truth.faults]
    found = Row(name, tuple(sizes), next(iter([*ends, *wrong]), None), None, None)
    right = found.right
    held = [size for size in right if size.memory is not None and size.memory > 0]
    return Row(
        name,
        found.sizes,
        found.end,
        growth([s.n for s in right], [s.cpu for s in right if s.cpu is not None]),
        growth([s.n for s in held], [np.array([s.memory]) for s in held]),
    )

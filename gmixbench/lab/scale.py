"""Costs of a gradient as the data grow: each row goes up in size until its time is spent."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from gmixbench.disk import has_record, read_cost, write_record
from gmixbench.lab import store
from gmixbench.lab.execute import Watch, job, run_cost
from gmixbench.lab.points import Located
from gmixbench.lab.quantiles import name_of, quantiles
from gmixbench.measured.backends import writes
from gmixbench.record import Cost, Failure
from gmixbench.ruler import scale
from gmixbench.ruler.growth import forecast
from gmixbench.ruler.scale import Row, observations, row_of
from gmixbench.spec import GRADIENT, Case, GradientSettings, Mixture
from gmixbench.truth.reference import find_place
from gmixbench.truth.solve import solve

STOPPED = "stopped"
"""Kind of the failure of a size that was not tried: there was too little time left."""

TIME_OUT = "time-out"
"""Kind of the failure of a size that was ended; tried again when there is more time than it had."""

Run = Callable[[Case, float], Cost | Failure]
"""Runs a case within so many seconds, and leaves its record."""

Told = Callable[[Case, float, float], None]
"""Told a case that begins, the seconds that it will take by forecast, and those spent before."""


LEAST = 100
"""Observations of the smallest size."""


def sizes_up_to(most: int) -> list[int]:
    """Powers of ten from `LEAST` to `most`."""
    first, last = round(math.log10(LEAST)), math.floor(math.log10(most) + 1e-9)
    return [10**k for k in range(first, last + 1)]


def plan(
    models: Sequence[Mixture],
    backends: Sequence[str],
    likelihoods: Sequence[str],
    sizes: Sequence[int],
) -> list[Case]:
    """Every row that a backend knows, its sizes ascending."""
    return [
        Case(name_of(n), model, backend, GRADIENT, GradientSettings(n), likelihood=likelihood)
        for model in models
        for backend in backends
        for likelihood in likelihoods
        if writes(backend, likelihood)
        for n in sizes
    ]


def here(out: Path, watch: Watch) -> Run:
    """Run cases in fresh processes.

    All sizes start where the smallest one's posterior is, and are held to their word around there.
    Within a few standard deviations of a million observations' posterior a gradient is what is left
    of terms that cancel, and no sum of doubles has it to 1e-10; out there it is large.
    """

    @cache
    def located(model: Mixture) -> Located:
        least = quantiles(LEAST)
        return solve(least, model) if model.spread is None else find_place(least, model)

    def run(case: Case, left: float) -> Cost | Failure:
        work = replace(job(case, located(case.model)), x=_data(observations(case)))
        return run_cost(work, out, timeout=left, watch=watch)

    return run


def measure(
    cases: Sequence[Case], out: Path, *, budget: float, run: Run, told: Told
) -> Iterator[Cost | Failure]:
    """Measure what `out` does not hold, row by row, and yield each record, also those it held.

    A row whose next size would take longer, by `forecast`, than is left of `budget` seconds stops:
    a `Failure` of kind `STOPPED` says so, until a call with more time tries again. A row ends at
    any other failure too, and each process is ended that takes longer than what is left. The time
    that counts is that of the measured processes.

    Raises
    ------
    OSError
        A record can't be written.
    """
    for row in _rows(cases):
        sizes, seconds = list[int](), list[float]()
        for case in row:
            spent = sum(seconds)
            record = _held(out, case, budget - spent)
            if record is None:
                needed = forecast(sizes, seconds, observations(case)) if sizes else 0.0
                if needed > budget - spent:
                    message = f"it would take about {needed:.0f} s of {budget - spent:.0f} s left"
                    record = Failure(case, STOPPED, message)
                    write_record(store.stem(out, case), record)
                else:
                    told(case, needed, spent)
                    record = run(case, budget - spent)
                    if isinstance(record, Failure) and record.kind == TIME_OUT:
                        record = replace(record, detail=f"{budget - spent:g} s were left")
                        write_record(store.stem(out, case), record)
            yield record
            if isinstance(record, Failure):
                break
            sizes.append(observations(case))
            seconds.append(record.timing.total_s or 0.0)


def rows(out: Path, cases: Sequence[Case]) -> tuple[Row, ...]:
    """Rows of all cases that have a record, each size held against the written density.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        A record can't be read back whole; the message names it.
    """
    return tuple(_row(out, each) for each in _rows(cases) if _any(out, each))


def _any(out: Path, row: Sequence[Case]) -> bool:
    return any(has_record(store.stem(out, case)) for case in row)


def _row(out: Path, row: Sequence[Case]) -> Row:
    records = [
        read_cost(store.stem(out, case)) for case in row if has_record(store.stem(out, case))
    ]
    found = [
        scale.size_of(record, scale.truth_of(record, _data(observations(record.case))))
        for record in records
        if isinstance(record, Cost)
    ]
    failures = [
        (observations(record.case), record) for record in records if isinstance(record, Failure)
    ]
    absent = store.pending(out, row)
    if absent and not failures:
        n = observations(absent[0])
        failures = [(n, Failure(absent[0], "interrupted", "call it again to go on"))]
    return scale.row(row_of(row[0]), found, failures)


@cache
def _data(n: int) -> np.ndarray:
    return quantiles(n)


def _rows(cases: Sequence[Case]) -> list[list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(row_of(case), []).append(case)
    return [sorted(each, key=observations) for each in found.values()]


def _held(out: Path, case: Case, left: float) -> Cost | Failure | None:
    if not has_record(store.stem(out, case)):
        return None
    record = read_cost(store.stem(out, case))
    if isinstance(record, Failure):
        had = float(record.detail.split()[0]) if record.kind == TIME_OUT else math.inf
        if record.kind == STOPPED or left > had:
            return None
    return record

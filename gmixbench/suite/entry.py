"""A benchmark's entry in pytest-benchmark's table and file; plugin.py tells what a file has."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gmixbench.lab.results import row
from gmixbench.ruler.verdict import Judged

SCHEMA = 1

OF_A_ROUND = (
    "seed",
    "valid",
    "labels",
    "converged",
    "reasons",
    "metrics",
    "occupancy_by_chain",
    "environment",
    "shims",
)
"""Keys of a row of scores.json that each round has its own of; the others are the case's."""


class Clock:
    """A clock that is set by hand: the time to tell has passed in other processes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds, as a timer of pytest-benchmark gives them."""
        return self.now

    def __str__(self) -> str:
        return "clock of the measured process"

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass."""
        self.now += seconds


CLOCK = Clock()
"""Timer of every benchmark that `enter_fits` enters."""


def enter(
    benchmark: BenchmarkFixture, *, what: str, timed: str, rows: Sequence[dict[str, Any]]
) -> None:
    """Name a benchmark so that libraries stand side by side, and give it all that is known.

    Parameters
    ----------
    what : first words of its group, which goes on with the model and the data
    timed : what its seconds are
    rows : as in scores.json, one for each round, of one case but for the seed
    """
    first = rows[0]
    # Not the place it is installed in: `--benchmark-compare` finds the same benchmark by this.
    benchmark.fullname = f"gmixbench.suite::{benchmark.name}"
    benchmark.name = first["backend"]
    benchmark.group = f"{what}, {first['model']}, {first['dataset']}"
    benchmark.extra_info["gmixbench"] = {
        "schema": SCHEMA,
        "timed": timed,
        "case": {key: value for key, value in first.items() if key not in OF_A_ROUND},
        "rounds": [{key: each[key] for key in OF_A_ROUND} for each in rows],
    }


def enter_fits(
    benchmark: BenchmarkFixture,
    *,
    what: str,
    timed: str,
    fits: Sequence[Judged],
    seconds: Callable[[dict[str, float | None]], float | None],
) -> None:
    """Enter fits that are made and valid, each a round of the seconds that its metrics give.

    The benchmark's timer must be `CLOCK`.

    Raises
    ------
    pytest.fail.Exception
        The backend does not tell these seconds.
    """
    enter(benchmark, what=what, timed=timed, rows=[row(each) for each in fits])
    taken = [seconds(each.scores.finite) for each in fits]
    told = [each for each in taken if each is not None]
    if len(told) < len(taken):
        pytest.fail(f"{benchmark.name} does not tell the {timed}", pytrace=False)
    again = cycle(told)  # `--benchmark-cprofile` calls once more
    benchmark.pedantic(  # type: ignore[no-untyped-call]  # half of pytest-benchmark has types
        lambda: CLOCK.advance(next(again)), rounds=len(told)
    )

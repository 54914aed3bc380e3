"""What is kept of a process: numbers of all but its first chain."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gmixbench.record import Failure
from gmixbench.ruler.comparison.reading import Place, reading, without_warm_call
from gmixbench.ruler.metrics import COMPILING

Make = Callable[..., Any]

COLD = Place(block=3, variant=1, task=0, place=1, cold=True, began="2026-11-25", seconds=9.0)


@pytest.fixture
def run(make_run: Make) -> Any:
    """Five chains, the first of them ten times as slow, each with its own gradients."""
    gradients = np.repeat(np.arange(1, 6)[:, None], 2000, axis=1)
    seconds = np.array([10.0, 1.0, 1.0, 1.0, 1.0])
    return make_run(chains=5, draws=2000, gradients=gradients, seconds=seconds)


def test_the_first_chain_does_not_count(run: Any, solved: Make) -> None:
    kept = without_warm_call(run)
    assert np.array_equal(kept.result.means, run.result.means[1:])
    assert kept.timing.sample_s == 4.0
    assert kept.counters.gradients_sample == 2000 * (2 + 3 + 4 + 5)
    found = reading(run, COLD, solved("close"))
    assert found.metrics["seconds_per_gradient"] == 4.0 / 28_000
    assert found.metrics["draws_per_second"] == 2000.0


def test_where_chains_are_not_told_apart_all_of_them_count(make_run: Make) -> None:
    run = make_run()
    assert without_warm_call(run) is run


def test_warm_caches_tell_nothing_of_compiling(run: Any, solved: Make) -> None:
    warm = Place(**(vars(COLD) | {"cold": False}))
    found = reading(run, warm, solved("close"))
    assert all(found.metrics[name] is None for name in COMPILING)
    assert all(
        reading(run, COLD, solved("close")).metrics[name] is not None
        for name in ("compile_s", "time_to_ess_1000")
    )


def test_equal_draws_have_one_digest(run: Any, make_run: Make, solved: Make) -> None:
    again = reading(run, COLD, solved("close")).draws
    assert again == reading(run, COLD, solved("close")).draws
    assert again != reading(make_run(chains=5, draws=2000, seed=1), COLD, solved("close")).draws


def test_faults_beyond_chance_are_kept_and_chance_is_not(
    make_run: Make, solved: Make, tampered: Make
) -> None:
    exact = solved("close")
    few = reading(make_run(draws=50), COLD, exact)  # an ESS below 400 is no fault here
    assert few.faults == ()
    assert few.ess < 400
    wrong = tampered(make_run(), lambda _, values, gradients: (values + 1.0, gradients))
    assert "density_constant" in reading(make_run(measured=wrong), COLD, exact).faults[0]
    means = make_run().result.means.copy()
    means[0, 0] = np.nan
    assert reading(make_run(means=means), COLD, exact).faults == ("some draws are not finite",)


def test_a_failure_is_told_and_has_no_metrics(run: Any, solved: Make) -> None:
    found = reading(Failure(run.case, "crash", "SIGSEGV"), COLD, solved("close"))
    assert (found.failure, found.metrics) == ("crash: SIGSEGV", {})


def test_an_ess_that_is_not_finite_is_none(make_run: Make, solved: Make) -> None:
    assert reading(make_run(draws=3), COLD, solved("close")).ess is None

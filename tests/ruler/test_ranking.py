"""Who is first, by how much it is known, and who has no rank."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.record import Failure
from gmixbench.ruler.ranking import estimate, rank
from gmixbench.ruler.verdict import judge


@pytest.fixture
def judged(make_run, solved):
    """A run of a backend whose sampling took so many seconds."""

    def make(backend, seconds, seed=0, likelihood="mixture", stack="here", **settings):
        run = make_run(draws=1000)
        asked = replace(run.case.settings, **settings)
        case = replace(run.case, backend=backend, seed=seed, likelihood=likelihood, stack=stack)
        case = replace(case, settings=asked)
        known = None if likelihood == "discrete" else run.density
        timing = replace(run.timing, sample_s=seconds)
        return judge(replace(run, case=case, timing=timing, density=known), solved("close"))

    return make


def test_the_fastest_is_first(judged):
    found = rank([judged("slow", 4.0), judged("fast", 1.0), judged("middle", 2.0)])
    assert [row.name for row in found.rows] == ["fast", "middle", "slow"]
    assert found.left == ()


def test_a_row_is_the_geometric_mean_of_its_processes(judged):
    found = rank([judged("one", 1.0), judged("one", 4.0, seed=1)])
    (row,) = found.rows
    alone = rank([judged("one", 2.0)]).rows[0]
    speed = row.estimates["ess_per_second"]
    assert row.processes == 2
    assert speed.middle == pytest.approx(alone.estimates["ess_per_second"].middle)
    assert 0 < speed.low < speed.middle < speed.high
    assert alone.estimates["ess_per_second"].high == math.inf


def test_a_likelihood_that_is_not_the_mixture_is_a_row_of_its_own(judged):
    forms = {"discrete": 4.0, "mixture": 1.0, "logsumexp": 2.0}
    found = rank([judged("one", seconds, likelihood=form) for form, seconds in forms.items()])
    assert [row.name for row in found.rows] == ["one", "one, logsumexp", "one, discrete"]
    assert {(row.backend, row.processes) for row in found.rows} == {("one", 1)}


@pytest.fixture
def process(judged):
    """A process of the backend `odd`, invalid for these reasons if there are any."""

    def make(seed, *reasons):
        found = judged("odd", 0.1, seed=seed)
        return replace(
            found, verdict=replace(found.verdict, valid=not reasons, reasons=tuple(reasons))
        )

    return make


def test_one_invalid_process_of_two_takes_the_rank(judged, process):
    found = rank([process(1), process(0, "bias: far off"), judged("a", 1.0)])
    assert [row.name for row in found.rows] == ["a"]
    assert [(one.name, one.reason) for one in found.left] == [("odd", "invalid: bias: far off")]


def test_one_of_three_that_chance_may_have_made_invalid_is_left_out_and_told(judged, process):
    found = rank([process(0), process(1, "bias: far off"), process(2), judged("a", 1.0)])
    row = found.rows[0]
    assert (row.name, row.processes) == ("odd", 2)
    assert row.note == "seed 1 left out, invalid: bias: far off"
    assert found.left == ()


@pytest.mark.parametrize(
    "wrong",
    [
        [("bias: far off",), ("bias: far off",)],
        [("density: wrong by 1e-3",)],
        [("bias: far off", "density: wrong by 1e-3")],
        [("not enough evidence: ESS 300",)],
    ],
    ids=["two", "no chance", "no chance beside a bias", "whose ESS is too low"],
)
def test_what_is_no_chance_takes_the_rank(wrong, process):
    right = [process(seed) for seed in range(4)]
    bad = [process(10 + k, *reasons) for k, reasons in enumerate(wrong)]
    found = rank([*right, *bad])
    assert found.rows == ()
    assert found.left[0].reason.startswith(f"invalid: {wrong[0][0]}")


def test_what_became_of_the_labels_stands_beside_the_speed(process):
    right = [process(seed) for seed in range(3)]
    stuck = [
        replace(one, verdict=replace(one.verdict, labels=what))
        for one, what in zip(right, ("stuck", "stuck", "mixed"), strict=True)
    ]
    assert rank(stuck).rows[0].note == "labels stuck in 2 of 3; labels mixed in 1 of 3"


def test_a_failure_is_no_chance(process):
    right = [process(seed) for seed in range(4)]
    failure = Failure(replace(right[0].run.case, seed=9), "crash", "the worker ended")
    assert rank(right, [failure]).rows == ()


def test_what_could_not_be_measured_says_why(judged):
    case = replace(judged("a", 1.0).run.case, backend="broken")
    found = rank([judged("a", 1.0)], [Failure(case, "exception", "ValueError: no")])
    assert [one.reason for one in found.left] == ["exception: ValueError: no"]


def test_of_several_failures_the_first_is_told_and_how_many_more(judged):
    case = replace(judged("a", 1.0).run.case, backend="broken")
    failures = [
        Failure(replace(case, seed=seed), "exception", f"ValueError: {word}")
        for seed, word in enumerate(["first", "second", "third"])
    ]
    (left,) = rank([judged("a", 1.0)], failures).left
    assert left.name == "broken"
    told = "exception: ValueError: first (failed or invalid besides: 2 more of its processes)"
    assert left.reason == told


def test_runs_of_other_settings_or_stacks_are_rows_of_their_own(judged):
    found = rank(
        [
            judged("a", 1.0),
            judged("a", 1.1, seed=1),
            judged("a", 2.0, draws=777),
            judged("a", 3.0, starts="one-mode"),
        ]
    )
    counts = [row.name.split(" · ")[2] for row in found.rows]
    starts = [row.name.split(" · ")[1] for row in found.rows]
    assert starts == ["dispersed", "dispersed", "one-mode"]
    assert counts[1].endswith(" × 777")
    assert counts[0] == counts[2] != counts[1]
    assert [row.processes for row in found.rows] == [2, 1, 1]
    stacks = rank([judged("a", 1.0), judged("a", 2.0, stack="a-v1")])
    assert [row.name for row in stacks.rows] == ["a · stack here", "a · stack a-v1"]


def test_a_metric_that_some_process_does_not_tell_is_left_out(judged):
    one, other = judged("a", 1.0), judged("a", 2.0, seed=1)
    metrics = {**other.scores.metrics, "seconds_per_gradient": None}
    found = rank([one, replace(other, scores=replace(other.scores, metrics=metrics))])
    assert "seconds_per_gradient" not in found.rows[0].estimates
    assert "ess_per_gradient" in found.rows[0].estimates


def test_the_interval_holds_what_it_promises():
    rng = np.random.default_rng(7)
    samples = np.exp(rng.normal(0.3, 0.5, (4000, 4)))
    held = [found.low < math.exp(0.3) < found.high for found in map(estimate, samples)]
    # Binomial: 4 standard errors of 95 %.
    assert np.mean(held) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))
    narrower = [
        found.low**0.5 * found.middle**0.5 < math.exp(0.3) < found.high**0.5 * found.middle**0.5
        for found in map(estimate, samples)
    ]
    assert np.mean(narrower) < 0.9

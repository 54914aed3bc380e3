"""What is left to measure."""

from dataclasses import replace

import pytest

from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.nouns import PILOT
from gmixbench.ruler.comparison.outlook import forecast, outlook


def test_what_is_answered_needs_no_more(made_values, comparison_of):
    found = outlook(judge(comparison_of({"ordered nuts": made_values({})})))
    assert (found.open, found.hopeless, found.blocks, found.seconds) == ((), (), 0, 0.0)


def _open(comparison, *more):
    """The outcome, had it no answer for its asked metrics but after so many blocks."""
    outcome = judge(comparison)
    asked = [each for each in outcome.findings if each.asked]
    waiting = [
        replace(each, verdict="inconclusive", more=blocks)
        for each, blocks in zip(asked, more, strict=True)
    ]
    rest = [each for each in outcome.findings if not each.asked]
    return replace(outcome, findings=(*waiting, *rest))


def test_the_slowest_answer_counts_in_blocks_and_seconds(made_values, comparison_of):
    tables = {"ordered nuts": made_values({}), "unordered nuts": made_values({})}
    outcome = _open(comparison_of(tables), 3, 40, 7, 3)
    assert forecast(outcome.comparison, 1) == pytest.approx(4 * 4.3)  # two sides, two tasks
    found = outlook(outcome)
    assert len(found.open) == 4
    assert found.blocks == 40
    assert found.seconds == pytest.approx(40 * 4 * 4.3)


def test_one_without_an_answer_in_sight_is_told_from_the_others(made_values, comparison_of):
    outcome = _open(comparison_of({"ordered nuts": made_values({})}), None, 14)
    hopeless, seen = outcome.findings[:2]
    found = outlook(outcome)
    assert (found.hopeless, found.open, found.blocks) == ((hopeless,), (seen,), 14)


def test_before_any_block_the_pilot_tells_with_the_draws_that_were_added(
    made_values, comparison_of
):
    made = comparison_of({"ordered nuts": made_values({})})
    (task,) = made.tasks
    long = replace(task, settings=replace(task.settings, draws=task.settings.draws + 1000))
    metrics = {"compile_s": 4.0, "draws_per_second": 1000.0 * task.settings.chains / 2.0}
    pilot = tuple(
        replace(each, block=PILOT, seconds=10.0, metrics=metrics) for each in made.readings[:2]
    )
    timed = replace(made, tasks=(long,), readings=pilot)
    assert forecast(timed, 1) == pytest.approx(2 * (10.0 + 2.0 - 4.0))
    assert forecast(timed, 2) == pytest.approx(2 * 2 * (10.0 + 2.0 - 4.0))
    compiling = replace(timed, metrics=("compile_s",))
    assert forecast(compiling, 2) == pytest.approx(2 * 2 * (10.0 + 2.0))

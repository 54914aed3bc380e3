"""What is left to measure."""

from dataclasses import replace

import pytest

from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.outlook import block_seconds, outlook


def test_what_is_answered_needs_no_more(made_values, comparison_of):
    found = outlook(judge(comparison_of({"ordered nuts": made_values({})})))
    assert (found.open, found.blocks, found.seconds) == ((), 0, 0.0)


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
    assert block_seconds(outcome.comparison) == pytest.approx(4 * 4.3)  # two sides, two tasks
    found = outlook(outcome)
    assert len(found.open) == 4
    assert found.blocks == 40
    assert found.seconds == pytest.approx(40 * 4 * 4.3)


def test_one_without_an_answer_in_sight_leaves_none_for_all(made_values, comparison_of):
    found = outlook(_open(comparison_of({"ordered nuts": made_values({})}), None, 14))
    assert len(found.open) == 2
    assert (found.blocks, found.seconds) == (None, None)

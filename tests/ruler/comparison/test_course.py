"""What was said look by look, of the blocks as they came."""

from dataclasses import replace

import numpy as np
import pytest

from gmixbench.ruler.comparison.course import courses
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST, looks


def _course(comparison, metric):
    (found,) = (each for each in courses(judge(comparison)) if each.finding.metric == metric)
    return found


def test_points_are_each_blocks_own_change_in_order(made_values, comparison_of):
    values = made_values({"seconds_per_gradient": 1.1}, wild={(4, 1): 2.0})
    comparison = comparison_of({"ordered nuts": values})
    clock = _course(comparison, "seconds_per_gradient")
    old, new = values["seconds_per_gradient"].T
    assert [point.block for point in clock.points] == list(range(1, 31))
    assert [point.change for point in clock.points] == pytest.approx(list(new / old))
    first = {each.block + 1: each.variant for each in comparison.readings if each.place == 0}
    assert [point.old_first for point in clock.points] == [first[k] == 0 for k in range(1, 31)]


def test_differences_stay_differences(made_values, comparison_of):
    values = made_values({"gap": 0.03}, method="advi")
    gap = _course(comparison_of({"ordered advi-matched": values}), "gap")
    old, new = values["gap"].T
    assert [point.change for point in gap.points] == pytest.approx(list(new - old))


def test_looks_end_in_what_is_said_and_a_verdict_stays(made_values, comparison_of):
    values = made_values({"seconds_per_gradient": 1.045}, noise=0.02, blocks=60)
    clock = _course(comparison_of({"ordered nuts": values}), "seconds_per_gradient")
    assert [seen for seen, _ in clock.said] == looks(60)
    words = [each.verdict for _, each in clock.said]
    decided = words.index("regressed")
    assert decided > 0
    assert set(words[:decided]) == {"inconclusive"}
    assert set(words[decided:]) == {"regressed"}
    assert clock.said[-1] == (looks(60)[-1], clock.finding)


def test_a_metric_that_few_blocks_tell_has_looks_of_its_own(made_values, comparison_of):
    values = made_values({}, blocks=60)
    cold = np.arange(60)[:, None] % 4 == 0
    values = {**values, "compile_s": np.where(cold, values["compile_s"], np.nan)}
    compile_s = _course(comparison_of({"ordered nuts": values}), "compile_s")
    assert [point.block for point in compile_s.points] == list(range(1, 61, 4))
    assert [seen for seen, _ in compile_s.said] == [4 * FIRST - 3]  # its first look
    assert [each.blocks for _, each in compile_s.said] == [FIRST]


def test_the_pilot_is_no_block(made_values, comparison_of):
    comparison = comparison_of({"ordered nuts": made_values({}, blocks=9)})
    pilot = tuple(replace(each, block=-1) for each in comparison.readings[:2])
    rows = _course(replace(comparison, readings=(*pilot, *comparison.readings)), "warmup_s").points
    assert [point.block for point in rows] == list(range(1, 10))


def test_before_the_first_look_nothing_was_said(made_values, comparison_of):
    clock = _course(comparison_of({"ordered nuts": made_values({}, blocks=7)}), "warmup_s")
    assert len(clock.points) == 7
    assert clock.said == ()


def test_a_block_that_is_begun_is_no_point(made_values, comparison_of):
    comparison = comparison_of({"ordered nuts": made_values({}, blocks=9)})
    begun = replace(comparison, readings=comparison.readings[:-1])
    assert len(_course(begun, "warmup_s").points) == 8


def test_what_is_invalid_has_no_course(made_values, comparison_of):
    tables = {
        "ordered nuts": made_values({}),
        "unordered advi-matched": made_values({}, method="a"),
    }
    found = courses(judge(comparison_of(tables, z={1: 9.3})))
    assert {each.finding.task for each in found} == {1}

"""The figures: every row is there, in words and marks, whatever the numbers."""

import math
from itertools import pairwise

import pytest

from gmixbench.report import style
from gmixbench.report.comparison import scale
from gmixbench.report.comparison.blocks import blocks
from gmixbench.report.comparison.forest import forest
from gmixbench.ruler.comparison.course import courses
from gmixbench.ruler.comparison.looks import looks

CASES = ("wild", "early", "advi", "thirty", "foreign")


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def _lines(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]


def _forest(outcome):
    with style.house_style():
        return forest(outcome).axes


def _blocks(outcome, metric):
    some = [each for each in courses(outcome) if each.finding.task == 0]
    with style.house_style():
        drawing = blocks(some, "A", "B")
    found = [axes for axes in drawing.axes if axes.get_title(loc="left").startswith(f"{metric}:")]
    return found[0], drawing


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize(
    "case",
    ["wild", *(pytest.param(case, marks=pytest.mark.slow) for case in CASES if case != "wild")],
)
def test_every_figure_draws(outcome_of, case):
    outcome = outcome_of(case)
    with style.house_style():
        assert style.png(forest(outcome)).startswith(b"\x89PNG")
        some = [each for each in courses(outcome) if each.finding.task == 0]
        assert style.png(blocks(some, "A$b$", "B")).startswith(b"\x89PNG")


def test_forest_has_a_row_for_each_finding_in_words_and_marks(outcome_of):
    outcome = outcome_of("two")
    panels = _forest(outcome)
    assert len(panels) == 2
    for task, axes in enumerate(panels):
        findings = [each for each in outcome.whole if each.task == task]
        words = _texts(axes)
        for each in findings:
            assert each.metric in words
        verdicts = [word for word in words if word in scale.MARKS]
        assert verdicts == [each.verdict for each in findings]
        for verdict, (marker, colour) in scale.MARKS.items():
            drawn = _lines(axes, marker)
            assert len(drawn) == verdicts.count(verdict)
            assert all(line.get_color() == colour for line in drawn)
    assert panels[0].get_xlim() == panels[1].get_xlim()


def test_marks_are_told_apart_without_colour():
    markers = [marker for marker, _ in scale.MARKS.values()]
    assert len(set(markers)) == len(scale.MARKS) == 4


def test_points_and_intervals_stand_where_the_numbers_say(outcome_of):
    outcome = outcome_of("slower")
    (axes,) = _forest(outcome)
    each = outcome.whole[0]
    (point,) = (line for line in _lines(axes, "v") if list(line.get_ydata()) == [0])
    assert point.get_xdata()[0] == pytest.approx(math.log(each.change.estimate))
    interval = next(
        line
        for line in axes.lines
        if list(line.get_ydata()) == [0, 0] and len(line.get_xdata()) == 2
    )
    ends = [math.log(each.change.low), math.log(each.change.high)]
    assert list(interval.get_xdata()) == pytest.approx(ends)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["−15 %", "−10 %", "−5 %", "0", "+5 %", "+10 %", "+15 %"]


def test_differences_have_a_panel_and_a_unit_of_their_own(outcome_of):
    ratios, differences = _forest(outcome_of("advi"))
    assert "gap" not in _texts(ratios)
    assert "gap" in _texts(differences)
    assert differences.get_xlabel() == "new less old, nats"


def test_an_interval_without_an_end_is_dotted_and_leaves_by_arrows(outcome_of):
    (axes,) = _forest(outcome_of("early"))
    assert len(_lines(axes, "<")) == len(_lines(axes, ">")) == 8
    assert len(_lines(axes, "D")) == 8
    assert {line.get_linestyle() for line in axes.lines if len(line.get_xdata()) == 2} == {
        "-",
        "--",
    }
    assert _texts(axes).count("inconclusive") == 8


def test_one_far_ratio_leaves_room_for_the_others_and_many_get_it(outcome_of):
    (axes,) = _forest(outcome_of("one of thirty"))
    assert len(_lines(axes, ">")) >= 2
    assert max(axes.get_xlim()) < math.log(5)
    (axes,) = _forest(outcome_of("thirty"))
    assert not _lines(axes, ">")
    assert max(axes.get_xlim()) > math.log(30)


def test_steps_stand_under_what_changed(outcome_of):
    (axes,) = _forest(outcome_of("steps"))
    words = _texts(axes)
    at = words.index("seconds_per_gradient")
    rows = [text.get_position()[1] for text in axes.texts]
    step = words.index("pytensor 2.28.1 → 2.30.0")
    assert rows[step] == rows[at] + 2
    assert words.count("pytensor 2.28.1 → 2.30.0") == words.count("numpy 2.3.1 → 2.4.0") == 6


def test_a_dollar_in_a_name_is_no_formula(outcome_of, foreign):
    axes, _ = _forest(outcome_of("foreign"))
    (title,) = (text for text in axes.texts if foreign in text.get_text())
    assert not title.get_parse_math()


def test_blocks_tell_their_order_and_what_was_said_at_each_look(outcome_of):
    outcome = outcome_of("slower")
    axes, drawing = _blocks(outcome, "ess_per_second")
    points = _lines(axes, "o")
    assert [line.get_xdata()[0] for line in points] == list(range(1, 31))
    fills = [line.get_markerfacecolor() for line in points]
    assert fills == [style.INK, "white"] * 15  # the sides took turns
    uprights = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    dotted = [
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_linestyle() == "--" and line.get_xdata()[0] == line.get_xdata()[1]
    ]
    assert [*uprights, *dotted] == looks(30)
    said = [line.get_color() for line in axes.lines if line.get_linewidth() == 1.6]
    assert said == [style.VERMILLION] * 4  # decided at the first look
    (legend,) = drawing.legends
    assert "block, A first" in [text.get_text() for text in legend.texts]


def test_a_look_without_an_answer_is_pale(outcome_of):
    axes, _ = _blocks(outcome_of("open"), "seconds_per_gradient")
    said = [line.get_color() for line in axes.lines if line.get_linewidth() == 1.6]
    assert said == [style.FAINT] * len(looks(30))


def test_a_wild_block_is_told_at_the_edge_and_does_not_squeeze_the_rest(outcome_of):
    axes, _ = _blocks(outcome_of("wild"), "warmup_s")
    assert "+99 %" in _texts(axes)
    (far,) = _lines(axes, "^")
    assert far.get_xdata()[0] == 6
    low, high = axes.get_ylim()
    assert low < far.get_ydata()[0] < high < math.log(1.8)


def test_before_the_first_look_there_are_points_alone(outcome_of):
    axes, _ = _blocks(outcome_of("early"), "warmup_s")
    assert len(_lines(axes, "o")) == 7
    assert not axes.collections


@pytest.mark.parametrize("half", [0.003, 0.02, 0.06, 0.15, 0.4, 0.75, 1.2, 3.0, 6.0, 11.0])
def test_every_axis_has_some_labels_and_none_too_many(half):
    with style.house_style():
        axes = style.figure(2).subplots()
    scale.label(axes.xaxis, scale.View(-half, half))
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert 3 <= len(labels) <= 11
    assert len(set(labels)) == len(labels)
    assert "0" in labels or "×1" in labels


@pytest.mark.parametrize("view", [(-0.37, 0.42), (-0.05, 0.6), (-0.7, 0.7), (-0.02, 0.02)])
def test_labels_in_per_cent_do_not_touch(view):
    with style.house_style():
        figure = style.figure(2)
        axes = figure.subplots(1, 3, width_ratios=(31, 39, 30))[1]  # as wide as the forest's
        axes.set_xlim(*view)
        scale.label(axes.xaxis, scale.View(*view))
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert len(boxes) >= 3
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))

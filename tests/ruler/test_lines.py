"""A metric along its releases: releases whose runs share their stream count once."""

import numpy as np
import pytest

from gmixbench.ruler.lines import Line, product
from gmixbench.ruler.streams import entries
from gmixbench.ruler.tracked import TRACKED

SPEED = next(one for one in TRACKED if one.metric == "ess_per_second")


def line(rate, half=0.0, starts=()):
    """Line of two releases, 1.0 apart."""
    levels, values = np.array([0.0, 1.0]), np.array([])
    return Line({"a": 0, "b": 1}, levels, values, lambda _: half, starts, rate)


def test_a_product_has_its_factors_changes_widths_and_false_alarms():
    made = product(line(None), [line(0.1, 0.3, ("b",)), line(0.2, 0.4)], SPEED)
    assert made.starts == ("b",)
    assert made.half_width({"a": -1.0, "b": 1.0}) == pytest.approx(0.5)
    assert made.false_alarms == pytest.approx(0.3)
    assert product(line(None), [line(0.7), line(0.7)], SPEED).false_alarms == 1.0


def test_a_change_of_a_factor_is_none_of_a_product_that_is_too_unsure():
    assert product(line(None), [line(0.1, 0.9, ("b",)), line(0.2, 0.9)], SPEED).starts == ()


def test_a_product_of_what_was_not_judged_is_not_judged():
    own = line(None)
    assert product(own, [line(0.1, 0.3, ("b",)), line(None)], SPEED) is own


def test_a_level_is_the_mean_of_entries_and_not_of_releases():
    entry = {"a": 0, "b": 0, "c": 1, "d": 2}
    line = Line(entry, np.array([1.0, 3.0, 7.0]), np.array([]), lambda _: None, (), None)
    assert line.total(line.step(["a", "b", "c"], ["d"])) == pytest.approx(7.0 - (1.0 + 3.0) / 2)


@pytest.mark.parametrize(
    ("releases", "seeds", "noises", "found"),
    [
        ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1], (0, 0)),
        ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 0, 2], (0, 1)),  # alike under one seed alone
        ([0, 0, 1, 2], [0, 1, 0, 1], [0, 1, 0, 1], (0, 0, 0)),  # the third agrees with the first
        ([0, 1], [0, 1], [0, 1], (0, 1)),  # nothing to compare
    ],
)
def test_neighbours_that_agree_are_one_entry(releases, seeds, noises, found):
    assert entries(releases, seeds, noises) == found

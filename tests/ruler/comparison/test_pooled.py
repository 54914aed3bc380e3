"""Checks of many processes, taken together."""

import math
from dataclasses import replace

import pytest

from gmixbench.ruler.comparison.pooled import pooled
from gmixbench.ruler.score import Check


def _pooled(comparison, *checks):
    row = comparison.readings[0]
    return pooled([replace(row, checks=(check,)) for check in checks])[0]


@pytest.fixture(scope="module")
def comparison(made_values, comparison_of):
    return comparison_of({"ordered nuts": made_values({}, blocks=16)}, z={1: 6.0})


def test_small_errors_of_one_sign_add_up_and_those_of_both_cancel(comparison):
    above, below = Check("mean", 1.2, 1.0, 0.1, 2.0), Check("mean", 0.8, 1.0, 0.1, 2.0)
    same = _pooled(comparison, above, above, above, above)
    assert same.estimate == pytest.approx(1.2)
    assert same.mcse == pytest.approx(0.05)
    assert same.z == pytest.approx(4.0)
    assert _pooled(comparison, above, below).z == pytest.approx(0.0, abs=1e-12)


def test_no_error_at_all_is_infinitely_far_or_right(comparison):
    assert _pooled(comparison, Check("mean", 1.1, 1.0, 0.0, math.inf)).z == math.inf
    assert _pooled(comparison, Check("mean", 1.0, 1.0, 0.0, 0.0)).z == 0.0
    assert _pooled(comparison, Check("mean", math.nan, 1.0, 0.1, math.nan)).z == math.inf


def test_the_error_of_a_reference_does_not_shrink_with_the_number_of_processes(comparison):
    off = Check("mean", 1.1, 1.0, 0.1, 0.7, error=0.1)
    few, many = _pooled(comparison, off), _pooled(comparison, *[off] * 1000)
    assert few.z == pytest.approx(0.5**0.5)
    assert few.z < many.z < 1.0
    assert many.error == 0.1
    assert _pooled(comparison, replace(off, mcse=0.0)).z == pytest.approx(1.0)

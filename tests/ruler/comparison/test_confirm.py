"""A change is told where both measurements find it."""

from collections.abc import Callable
from typing import Any

import pytest

from gmixbench.ruler.comparison.confirm import confirmed
from gmixbench.ruler.comparison.judge import judge

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        (1.1, 1.1, "regressed"),
        (0.9, 0.9, "improved"),
        (1.1, 1.0, "inconclusive"),
        (1.1, 0.9, "inconclusive"),
        (1.0, 1.1, "equivalent"),
    ],
)
def test_both_must_agree(
    make_comparison: Make, pairs: Make, first: float, second: float, word: str
) -> None:
    outcomes = [
        judge(make_comparison({"seconds_per_gradient": pairs(33, ratio, seed=seed)}))
        for seed, ratio in enumerate((first, second))
    ]
    found = confirmed(*outcomes)
    assert [each.verdict for each in found.findings] == [word]
    if word == "inconclusive":
        assert "at first" in found.findings[0].remark


def test_what_is_wrong_at_the_second_time_is_wrong(make_comparison: Make, pairs: Make) -> None:
    values = {"seconds_per_gradient": pairs(15, 0.5)}
    right, wrong = judge(make_comparison(values)), judge(make_comparison(values, bias=(0.0, 9.0)))
    assert confirmed(right, wrong).verdict == "not measured"

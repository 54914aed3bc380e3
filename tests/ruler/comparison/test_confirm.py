"""A change is told where both measurements find it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gmixbench.ruler.comparison.confirm import confirmed, settled
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
    (each,) = found.findings
    if word == "inconclusive":
        assert "at first" in each.remark
    kept = {"inconclusive": False, "equivalent": None}.get(word, True)
    assert (each.confirmed, each.unconfirmed) == (kept, word == "inconclusive")


def test_what_was_remarked_of_the_first_stays(make_comparison: Make, pairs: Make) -> None:
    outcome = judge(make_comparison({"seconds_per_gradient": pairs(33, 1.1)}))
    remarked = replace(outcome, findings=(replace(outcome.findings[0], remark="open again"),))
    (each,) = confirmed(remarked, outcome).findings
    assert each.remark == "open again; confirmed with other seeds"


def test_of_a_step_that_the_second_dropped_no_answer_is_waited_for(make_comparison: Make) -> None:
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal((33, 3)))
    values = {"seconds_per_gradient": noise * np.array([1.0, 1.1, 1.2])}
    made = make_comparison(values, names=("old", "library", "new"))
    lost = tuple(
        replace(each, failure="crash: boom", metrics={}) if each.variant == 1 else each
        for each in made.readings
    )
    first, second = judge(made), judge(replace(made, readings=lost))
    assert settled(first, second)
    assert [each.verdict for each in confirmed(first, second).findings] == ["regressed"]


def test_what_is_wrong_at_the_second_time_is_wrong(make_comparison: Make, pairs: Make) -> None:
    values = {"seconds_per_gradient": pairs(15, 0.5)}
    right, wrong = judge(make_comparison(values)), judge(make_comparison(values, bias=(0.0, 9.0)))
    for found in (confirmed(right, wrong), confirmed(wrong, right)):
        assert found.verdict == "invalid"
        assert found.findings == ()  # no speed without truth
    assert confirmed(right, right).findings != ()


def _compiling(make: Make, pairs: Make, blocks: int, ratio: float) -> Any:
    """Outcome of equal sides but for compiling, which one block in three tells."""
    compiling = pairs(blocks, ratio, level=10.0)
    compiling[np.arange(blocks) % 3 > 0] = np.nan
    return judge(make({"seconds_per_gradient": pairs(blocks), "compile_s": compiling}))


def test_the_second_is_not_done_before_it_tells_what_changed(
    make_comparison: Make, pairs: Make
) -> None:
    first = _compiling(make_comparison, pairs, 41, 1.5)
    early, late = (_compiling(make_comparison, pairs, count, 1.5) for count in (15, 41))
    assert early.answered  # as to what must have an answer
    assert not settled(first, early)
    assert settled(first, late)
    assert confirmed(first, late).verdict == "regressed"


@pytest.mark.parametrize("blocks", [15, 41])
@pytest.mark.parametrize("first", [1.5, 0.6])
def test_a_change_that_is_not_confirmed_is_never_fine(
    make_comparison: Make, pairs: Make, blocks: int, first: float
) -> None:
    found = confirmed(
        _compiling(make_comparison, pairs, 41, first),
        _compiling(make_comparison, pairs, blocks, 1.0),
    )
    assert found.verdict == "inconclusive"


def test_what_did_not_change_needs_no_second_answer(make_comparison: Make, pairs: Make) -> None:
    first = _compiling(make_comparison, pairs, 41, 1.0)
    assert settled(first, _compiling(make_comparison, pairs, 15, 1.0))

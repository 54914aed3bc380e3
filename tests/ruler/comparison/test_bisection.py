"""The search for the first bad release, over every row of up to nine releases."""

import itertools
import math

import pytest

from gmixbench.ruler.comparison.bisection import Search, search

ENDS = {0: "good", 8: "bad"}


def run(count, answer):
    """Search to its end; gives it with the places that were asked, in order."""
    answers = {}
    while (state := search(count, answers)).ask is not None:
        assert state.ask not in answers
        assert state.suspects == ()
        answers[state.ask] = answer(state.ask)
    return state, [*answers]


@pytest.mark.parametrize("count", range(2, 40))
def test_every_first_bad_release_is_found_by_halving(count):
    for first in range(1, count):
        state, asked = run(count, lambda place, first=first: "bad" if place >= first else "good")
        assert state.suspects == (first,)
        assert (state.good, state.bad, state.skipped) == (first - 1, first, ())
        assert asked[:2] == [count - 1, 0]
        assert len(asked) - 2 <= math.ceil(math.log2(count - 1))


def test_the_suspects_hold_the_first_bad_release_whatever_is_skipped():
    for first in range(1, 9):
        for some in itertools.product([False, True], repeat=7):
            untold = {place + 1 for place, skip in enumerate(some) if skip}

            def answer(place, first=first, untold=untold):
                return "skip" if place in untold else "bad" if place >= first else "good"

            state, asked = run(9, answer)
            assert first in state.suspects
            assert [*state.suspects] == [*range(state.suspects[0], state.suspects[-1] + 1)]
            assert untold.issuperset(state.suspects[:-1])
            assert state.suspects[-1] not in untold
            assert len(asked) == len({*asked})


def test_a_skip_is_kept_away_from():
    assert search(9, ENDS).ask == 4
    assert search(9, ENDS | {4: "skip"}).ask == 2
    assert search(9, ENDS | {4: "skip", 2: "good"}).ask == 6
    assert search(9, ENDS | {4: "skip", 2: "good", 6: "bad"}).ask == 3
    assert search(9, ENDS | {4: "skip", 2: "good", 6: "bad", 3: "good", 5: "bad"}) == Search(
        None, 3, 5, (4,)
    )


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({}, Search(8, None, None)),
        ({8: "bad"}, Search(0, None, None)),
        ({8: "good", 0: "good"}, Search(None, 0, None)),
        ({8: "bad", 0: "bad"}, Search(None, None, 8)),
        ({8: "skip", 0: "good", 4: "bad"}, Search(None, 0, None)),
        ({8: "bad", 0: "skip"}, Search(None, None, 8)),
    ],
)
def test_ends_that_are_not_what_was_said_leave_nothing_to_find(answers, state):
    assert search(9, answers) == state
    assert state.suspects == ()


def test_bad_mended_and_bad_again_is_bad_the_first_time():
    state = search(9, ENDS | {3: "bad", 4: "good", 2: "good"})
    assert (state.good, state.bad, state.suspects) == (2, 3, (3,))


@pytest.mark.parametrize("count", [0, 1])
def test_one_release_is_no_row(count):
    with pytest.raises(ValueError, match="a search needs two"):
        search(count, {})

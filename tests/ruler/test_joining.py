"""Sessions on one scale: what the shift of a session is, and how surely it is known."""

import numpy as np
import pytest

from gmixbench.ruler.joining import Anchor, Layout, find_anchors, join

FIRST, LATER = (0.0, 0.1, 5.0), (1.0, 1.1, 9.0)
"""Three rounds of an anchor in two sessions, the last one disturbed: 1.0 apart at the median."""


def joined(*later):
    """Two anchors over three rounds: one as above, and one whose rounds in the later session."""
    values = np.array([*FIRST, *FIRST, *LATER, *later])[:, None]
    layout = Layout(
        releases=tuple(np.repeat([0, 1, 0, 1], 3).tolist()),
        sessions=tuple(np.repeat([0, 0, 1, 1], 3).tolist()),
        anchors=((1, (Anchor((6, 7, 8), (0, 1, 2)), Anchor((9, 10, 11), (3, 4, 5)))),),
    )
    values, spread = join(values, layout)
    return values[:, 0], float(spread[0, 0])


def test_a_disturbed_round_does_not_shift_a_session():
    values, spread = joined(*LATER)
    assert values == pytest.approx([*FIRST, *FIRST, 0.0, 0.1, 8.0, 0.0, 0.1, 8.0])
    assert spread == pytest.approx(0.0)


def test_anchors_that_disagree_meet_halfway_and_tell_how_much():
    values, spread = joined(*(value + 0.6 for value in LATER))
    assert values[[7, 10]] == pytest.approx([0.1 - 0.3, 0.1 + 0.3])
    # Shifts of 1.0 and 1.6: their variance 0.18, by two.
    assert spread == pytest.approx(0.09)


def test_an_anchor_hangs_on_the_first_session_that_measured_it():
    stacks, sessions = ["a", "b", "a", "b", "c", "b", "c"], [0, 0, 1, 1, 1, 2, 2]
    found = find_anchors(stacks, sessions, [("a", "b"), ("a", "b"), ("b", "c")])
    assert found == {
        0: (),
        1: (Anchor((2,), (0,)), Anchor((3,), (1,))),
        2: (Anchor((5,), (1,)), Anchor((6,), (4,))),
    }


def test_what_hangs_on_nothing_is_not_there():
    found = find_anchors(["a", "b", "c", "b"], [0, 1, 2, 2], [("a",), ("a", "b"), ("b", "c")])
    assert found == {0: ()}  # the third shares b with the second alone, which hangs on nothing

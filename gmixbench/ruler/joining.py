"""Sessions on one scale: values of a series as a list, joined at the anchors that sessions share.

A machine is not as fast today as it was last year, so what a later session measured is divided by
how much slower or faster it found the releases that an earlier one had measured too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Anchor:
    """A release that two sessions share: places of its values in the later and the earlier one."""

    later: tuple[int, ...]
    earlier: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Which release, counted from 0, and which session each value of a series belongs to.

    `anchors` has the anchors of each session that is joined to an earlier one, in order of time.
    `noises` has the number of the noise in each value, the same where runs share their random
    stream (see `ruler.streams`); empty where each value has its own.
    """

    releases: tuple[int, ...]
    sessions: tuple[int, ...]
    anchors: tuple[tuple[int, tuple[Anchor, ...]], ...] = ()
    noises: tuple[int, ...] = ()

    def deal(self, dealt: Array) -> Array:
        """Noise of each value, from that of each noise, shape (noises, ...)."""
        return dealt[list(self.noises)] if self.noises else dealt

    @property
    def independent(self) -> int:
        """How many noises there are."""
        return max(self.noises) + 1 if self.noises else len(self.releases)


def find_anchors(
    releases: Sequence[str], sessions: Sequence[int], named: Sequence[Sequence[str]]
) -> dict[int, tuple[Anchor, ...]]:
    """Anchors by which each session hangs on earlier ones.

    Parameters
    ----------
    releases, sessions
        Of each value of a series, its stack and its session's number, in order of time.
    named
        The anchor stacks of each session.

    Returns
    -------
    dict
        Anchors by session. The first session measured has none and is there; a session that
        shares no anchor with those before it can't be joined and is not there.
    """
    places: dict[tuple[int, str], list[int]] = {}
    for place, key in enumerate(zip(sessions, releases, strict=True)):
        places.setdefault(key, []).append(place)
    found: dict[int, tuple[Anchor, ...]] = {}
    for session in sorted(set(sessions)):
        shared = []
        for stack in named[session]:
            first = next((earlier for earlier in found if (earlier, stack) in places), None)
            if first is not None and (session, stack) in places:
                later, earlier = places[session, stack], places[first, stack]
                shared.append(Anchor(tuple(later), tuple(earlier)))
        if shared or not found:
            found[session] = tuple(shared)
    return found


def join(values: Array, layout: Layout) -> tuple[Array, Array]:
    """Values with each later session shifted to where its anchors were before.

    The shift is the mean over anchors of the difference between the anchor's medians over rounds in
    this session and in the first session that measured it: on logarithms, the geometric mean of
    its ratios. A median, so that one disturbed round does not shift a whole session.

    Parameters
    ----------
    values
        Shape (values, histories), on the scale on which sessions differ by a shift.

    Returns
    -------
    joined, spread
        Values, and the squared standard error of each joined session's shift as its anchors'
        disagreement tells it, shape (joined sessions, histories); 0 with a single anchor, which
        can't disagree with itself.
    """
    values = values.copy()
    members = np.array(layout.sessions)
    spread = np.zeros((len(layout.anchors), values.shape[1]))
    for k, (session, anchors) in enumerate(layout.anchors):
        shifts = np.array(
            [
                np.median(values[list(anchor.later)], axis=0)
                - np.median(values[list(anchor.earlier)], axis=0)
                for anchor in anchors
            ]
        )
        values[members == session] -= shifts.mean(axis=0)
        if len(anchors) > 1:
            spread[k] = shifts.var(axis=0, ddof=1) / len(anchors)
    return values, spread

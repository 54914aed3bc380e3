"""Which release to compare next so that the first bad one is found, and which it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Answer = Literal["good", "bad", "skip"]
"""Of one release; "skip" where it could not be told, as `git bisect skip` has it."""


@dataclass(frozen=True)
class Search:
    """Where the search for the first bad release stands.

    Attributes
    ----------
    ask
        Release to look at next, by its place; `None` when nothing is left that would help.
    good, bad
        The first bad release comes after `good`, and is `bad` or before it; `None` where an end of
        the row is not what it must be: then there is nothing to find.
    skipped
        Releases between the two that could not be told.
    """

    ask: int | None
    good: int | None
    bad: int | None
    skipped: tuple[int, ...] = ()

    @property
    def suspects(self) -> tuple[int, ...]:
        """Releases of which one is the first bad one: a single one if it is found.

        None as long as the search goes on, and none where there is nothing to find.
        """
        if self.ask is not None or self.good is None or self.bad is None:
            return ()
        return (*self.skipped, self.bad)


def search(count: int, answers: Mapping[int, Answer]) -> Search:
    """State of the search among `count` releases in order, of which some are answered.

    The two ends are asked first unless they are answered: what was said of them may be wrong. If
    the releases went bad, were mended and went bad again, the first time is found.

    Raises
    ------
    ValueError
        There are fewer than two releases.
    """
    last = count - 1
    if last < 1:
        raise ValueError(f"{count} releases: a search needs two")
    for end in (last, 0):
        if end not in answers:
            return Search(end, None, None)
    if answers[0] != "good" or answers[last] != "bad":
        good = 0 if answers[0] == "good" else None
        return Search(None, good, last if answers[last] == "bad" else None)
    bad = min(place for place, answer in answers.items() if answer == "bad")
    good = max(place for place, answer in answers.items() if answer == "good" and place < bad)
    between = range(good + 1, bad)
    skipped = tuple(place for place in between if place in answers)
    return Search(_middle(between, answers), good, bad, skipped)


def _middle(between: range, answers: Mapping[int, Answer]) -> int | None:
    """Middle of the longest run that has no answer.

    Beside a release that could not be told stand others that can't: this keeps away from them.
    """
    runs = [list(run) for told, run in groupby(between, answers.__contains__) if not told]
    if not runs:
        return None
    longest = max(runs, key=len)
    return longest[(len(longest) - 1) // 2]

"""What series are made of: the values of a metric that can stand beside each other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gmixbench.ruler.changes import Notice
from gmixbench.ruler.history import History, Measurement
from gmixbench.ruler.joining import Anchor, find_anchors
from gmixbench.ruler.notices import believed
from gmixbench.ruler.streams import noises
from gmixbench.ruler.tracked import Tracked
from gmixbench.spec import METHODS, MODELS


@dataclass(frozen=True)
class Value:
    """One value of a series on its working scale: the logarithm, for ratios.

    `noise` is the number of its random stream's noise, as of `ruler.streams.noises`.
    """

    item: Measurement
    session: int
    value: float
    noise: int

    @property
    def stack(self) -> str:
        """Stack it was measured in."""
        return self.item.case.stack


@dataclass(frozen=True)
class Thread:
    """A metric of a case along the releases of a library: values in order of session and round."""

    ppl: str
    dataset: str
    model: str
    method: str
    tracked: Tracked
    values: tuple[Value, ...]

    @property
    def case(self) -> tuple[str, str, str, str]:
        """What it shares with the other metrics of the same runs."""
        return self.ppl, self.dataset, self.model, self.method


@dataclass(frozen=True)
class Lost:
    """A value that can't stand beside the others of its thread, and why."""

    thread: Thread
    item: Measurement
    why: str


def find_threads(history: History, followed: Sequence[Tracked]) -> tuple[list[Thread], list[Lost]]:
    """All threads of a history: what is believed, of one settings and on one scale; and the rest.

    A case may have been measured with other settings before (more draws, another target): those are
    other things, and the newest ones count. A speed of a session that shares no anchor with those
    before it is on a scale of its own.
    """
    threads, lost = list[Thread](), list[Lost]()
    for thread in _threads(history, followed, lost):
        anchors = anchors_of(thread, history)
        for v in thread.values:
            if v.session not in anchors:
                name = history.sessions[v.session].name
                why = f"{name} shares no valid anchor with what was measured before"
                lost.append(Lost(thread, v.item, why))
        kept = tuple(v for v in thread.values if v.session in anchors)
        threads.append(replace(thread, values=kept))
    return threads, lost


def anchors_of(thread: Thread, history: History) -> dict[int, tuple[Anchor, ...]]:
    """Anchors of each session of a thread, by places of its values; see `find_anchors`."""
    sessions = [v.session for v in thread.values]
    if not thread.tracked.joined:
        return dict.fromkeys(sessions, ())
    named = [session.anchors for session in history.sessions]
    return find_anchors([v.stack for v in thread.values], sessions, named)


def left_out(lost: Sequence[Lost], history: History) -> Iterator[Notice]:
    """Notices of releases whose values can't stand beside the others."""

    def key(one: Lost) -> tuple[str, str, str, str]:
        return one.thread.ppl, one.item.case.stack, one.item.session, one.why

    for (library, stack, _, why), group in groupby(sorted(lost, key=key), key):
        some = list(group)
        cases = dict.fromkeys(f"{one.thread.model} {one.thread.method}" for one in some)
        rounds = len({one.item.round for one in some})
        measured = {
            (item.session, item.round) for item in history.measurements if item.case.stack == stack
        }
        metrics = ", ".join(dict.fromkeys(one.thread.tracked.metric for one in some))
        message = f"{why}, so its {metrics} stand in no series"
        yield Notice(library, stack, "unjoined", tuple(cases), (rounds, len(measured)), message)


def _threads(history: History, followed: Sequence[Tracked], lost: list[Lost]) -> Iterator[Thread]:
    numbers = {session.name: k for k, session in enumerate(history.sessions)}
    threads = list[Thread]()
    for key, items in _believed(history, numbers).items():
        newest = items[-1].case.settings
        kept = [item for item in items if item.case.settings == newest]
        own = noises(kept)
        for tracked in (tracked for tracked in followed if tracked.method == key[3]):
            found = (
                Value(item, numbers[item.session], value, noise)
                for item, noise in zip(kept, own, strict=True)
                if (value := _value(item, tracked)) is not None
            )
            thread = Thread(*key, tracked, tuple(found))
            if thread.values:
                threads.append(thread)
                why = "other settings were measured since"
                older = (item for item in items if item.case.settings != newest)
                lost += [Lost(thread, item, why) for item in older]
    for thread in threads:
        alike = [t for t in threads if (t.ppl, t.tracked) == (thread.ppl, thread.tracked)]
        if not thread.tracked.once or thread is max(alike, key=lambda t: len(t.values)):
            yield thread


def _believed(
    history: History, numbers: Mapping[str, int]
) -> dict[tuple[str, str, str, str], list[Measurement]]:
    """Measurements that may tell a speed, by library and case, in order of session and round."""
    libraries = {release.stack: release.ppl for release in history.releases}
    cases: dict[tuple[str, str, str, str], list[Measurement]] = {}
    for item in sorted(history.measurements, key=lambda item: (numbers[item.session], item.round)):
        case = item.case
        if case.stack in libraries and believed(item):
            key = (libraries[case.stack], case.dataset, case.model.name, case.method)
            cases.setdefault(key, []).append(item)
    lines, models = [*dict.fromkeys(libraries.values())], [*MODELS]
    order = sorted(
        cases, key=lambda k: (lines.index(k[0]), k[1], METHODS.index(k[3]), models.index(k[2]))
    )
    return {key: cases[key] for key in order}


def _value(item: Measurement, tracked: Tracked) -> float | None:
    value = (item.metrics or {}).get(tracked.metric)
    if value is None or not math.isfinite(value):
        return None
    if tracked.scale == "difference":
        return value
    return math.log(value) if value > 0 else None

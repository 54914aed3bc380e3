"""Series of a history: a metric of a case along the releases of a library, and where it changed."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np

from gmixbench.ruler.changes import Change, Notice, Series
from gmixbench.ruler.dependencies import changed
from gmixbench.ruler.history import History, Measurement
from gmixbench.ruler.joining import Anchor, Array, Layout, find_anchors, join
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.notices import believed
from gmixbench.ruler.segments import centres, drop_small, noise_of, segment
from gmixbench.ruler.tracked import TRACKED, Tracked
from gmixbench.spec import METHODS, MODELS

PAGE_ALARMS = 0.05
"""Share of histories without any change that may show one, in any of all their series.

Shared out evenly to the series (Bonferroni): they are of the same runs, and far from independent.
"""


@dataclass(frozen=True)
class _Value:
    """One value of a series on its working scale: the logarithm, for ratios."""

    item: Measurement
    session: int
    value: float

    @property
    def stack(self) -> str:
        return self.item.case.stack


@dataclass(frozen=True)
class _Thread:
    """What a series is made of: its values in order of session and round."""

    library: str
    dataset: str
    model: str
    method: str
    tracked: Tracked
    values: tuple[_Value, ...]


def find_series(history: History) -> tuple[tuple[Series, ...], tuple[Notice, ...]]:
    """All series with their changes, and notices of releases whose speeds can't be joined."""
    threads = [*_threads(history)]
    alpha = PAGE_ALARMS / max(len(threads), 1)
    series, lost = [], list[tuple[_Thread, _Value]]()
    for thread in threads:
        anchors = _anchors(thread, history)
        lost += [(thread, v) for v in thread.values if v.session not in anchors]
        kept = tuple(v for v in thread.values if v.session in anchors)
        # Places of values are those among the kept ones: anchors are looked for once more.
        joinable = replace(thread, values=kept)
        series.append(_series(joinable, _anchors(joinable, history), history, alpha))
    return tuple(series), tuple(_unjoined(lost, history))


def _threads(history: History) -> Iterator[_Thread]:
    libraries = {release.stack: release.library for release in history.releases}
    numbers = {session.name: k for k, session in enumerate(history.sessions)}
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
    threads = []
    for key in order:
        for tracked in (tracked for tracked in TRACKED if tracked.method == key[3]):
            found = [(item, _value(item, tracked)) for item in cases[key]]
            values = tuple(_Value(i, numbers[i.session], v) for i, v in found if v is not None)
            if values:
                threads.append(_Thread(*key, tracked, values))
    for thread in threads:
        alike = [t for t in threads if (t.library, t.tracked) == (thread.library, thread.tracked)]
        if not thread.tracked.once or thread is max(alike, key=lambda t: len(t.values)):
            yield thread


def _value(item: Measurement, tracked: Tracked) -> float | None:
    value = (item.metrics or {}).get(tracked.metric)
    if value is None or not math.isfinite(value):
        return None
    if tracked.scale == "difference":
        return value
    return math.log(value) if value > 0 else None


def _anchors(thread: _Thread, history: History) -> dict[int, tuple[Anchor, ...]]:
    sessions = [v.session for v in thread.values]
    if not thread.tracked.joined:
        return dict.fromkeys(sessions, ())
    named = [session.anchors for session in history.sessions]
    return find_anchors([v.stack for v in thread.values], sessions, named)


def _series(
    thread: _Thread, anchors: dict[int, tuple[Anchor, ...]], history: History, alpha: float
) -> Series:
    tracked = thread.tracked
    line = [release for release in history.releases if release.library == thread.library]
    measured = {v.stack for v in thread.values}
    shown = [release for release in line if release.stack in measured]
    places = {release.stack: k for k, release in enumerate(shown)}
    layout = Layout(
        tuple(places[v.stack] for v in thread.values),
        tuple(v.session for v in thread.values),
        tuple((session, shared) for session, shared in anchors.items() if shared),
    )
    values = np.array([v.value for v in thread.values])
    joined = join(values[:, None], layout)[0]
    centre = centres(joined, layout)
    levels, spread = centre.values[:, 0], float(centre.noise[0])
    noise = noise_of(values, layout, alpha)
    band = math.log1p(tracked.band) if tracked.scale == "ratio" else tracked.band
    starts, false_alarms = list[int](), 0.0
    if noise is not None:
        starts = drop_small(levels, segment(centre.studentized[:, 0], noise.penalty), band)
        false_alarms = noise.false_alarms(band)
    each = np.eye(len(shown))

    def told(contrast: Array) -> tuple[float, float, float]:
        estimate = float(contrast @ levels)
        half = noise.half_width(contrast, spread) if noise is not None else 0.0
        parts = (estimate, estimate - half, estimate + half)
        return _three(np.exp(parts) if tracked.scale == "ratio" else np.array(parts))

    def change(old: int, new: int, end: int) -> Change:
        effect = told(each[new:end].mean(axis=0) - each[old:new].mean(axis=0))
        before, after = shown[new - 1], shown[new]
        return Change(
            stack=after.stack,
            before=before.stack,
            verdict=_verdict(tracked, effect[0]),
            effect=effect,
            step=told(each[new] - each[new - 1]),
            dependencies=changed(before, after),
        )

    by_stack = {release.stack: list[float]() for release in line}
    natural = np.exp(joined[:, 0]) if tracked.scale == "ratio" else joined[:, 0]
    for v, number in zip(thread.values, natural, strict=True):
        by_stack[v.stack].append(float(number))
    bounds = [0, *starts, len(shown)]
    return Series(
        library=thread.library,
        dataset=thread.dataset,
        model=thread.model,
        method=thread.method,
        metric=tracked.metric,
        scale=tracked.scale,
        stacks=tuple(by_stack),
        values=tuple(map(tuple, by_stack.values())),
        centre=tuple(told(each[places[s]]) if s in places else None for s in by_stack),
        changes=tuple(change(*bounds[k : k + 3]) for k in range(len(starts))),
        false_alarms=false_alarms,
    )


def _three(parts: Array) -> tuple[float, float, float]:
    estimate, low, high = map(float, parts)
    return estimate, low, high


def _verdict(tracked: Tracked, effect: float) -> Literal["improved", "regressed", "changed"]:
    better = METRICS[tracked.metric].better
    if better is None:
        return "changed"
    grew = effect > (1.0 if tracked.scale == "ratio" else 0.0)
    return "improved" if grew == (better == "higher") else "regressed"


def _unjoined(lost: Sequence[tuple[_Thread, _Value]], history: History) -> Iterator[Notice]:
    def key(pair: tuple[_Thread, _Value]) -> tuple[str, str, int]:
        thread, value = pair
        return thread.library, value.stack, value.session

    for (library, stack, session), group in groupby(sorted(lost, key=key), key):
        pairs = list(group)
        cases = dict.fromkeys(f"{thread.model} {thread.method}" for thread, _ in pairs)
        rounds = len({value.item.round for _, value in pairs})
        measured = {
            (item.session, item.round) for item in history.measurements if item.case.stack == stack
        }
        metrics = ", ".join(dict.fromkeys(thread.tracked.metric for thread, _ in pairs))
        message = (
            f"{history.sessions[session].name} shares no valid anchor with what was measured "
            f"before, so its {metrics} stand in no series"
        )
        yield Notice(library, stack, "unjoined", tuple(cases), (rounds, len(measured)), message)

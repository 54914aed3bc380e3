"""A history read release by release, for harnesses that look for steps themselves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gmixbench.ruler.history import History, Measurement
from gmixbench.ruler.joining import Array, Layout, join
from gmixbench.ruler.lower import LOWER
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.notices import believed
from gmixbench.ruler.threads import Thread, anchors_of, find_threads
from gmixbench.ruler.tracked import Tracked
from gmixbench.spec import METHODS

SPEEDS = ("s", "1/s")
"""Units of what depends on the machine's speed of the day."""

FOLLOWED = {
    Tracked(method, row.metric, "ratio", 0.0, joined=True)
    if METRICS[row.metric].unit in SPEEDS
    else Tracked(method, row.metric, "difference", 0.0): row
    for row in LOWER
    for method in METHODS
    if method.startswith(row.kind)
}
"""What is followed of each method, and as what it is shown."""

Key = tuple[str, str, str, str]
"""Stack, or library, then data set, model and method."""


@dataclass(frozen=True)
class Reading:
    """What the rounds of a release tell of one case.

    `rounds` is how many were measured, the last one at the ISO time `began`; `refused` how many of
    them failed or were invalid. `values` has those of the others by name in `LOWER`, sessions
    joined at their anchors: no entry where there is none.
    """

    stack: str
    dataset: str
    model: str
    method: str
    rounds: int
    refused: int
    began: str
    values: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Median over rounds."""
        return float(np.median(self.values[name]))


def share_refused(some: Sequence[Reading]) -> float:
    """Share of the rounds of some readings that failed or were invalid; NaN of none."""
    rounds = sum(reading.rounds for reading in some)
    return sum(reading.refused for reading in some) / rounds if rounds else math.nan


def readings(history: History) -> tuple[Reading, ...]:
    """All readings of a history, in its order; of each case those of the newest settings."""
    found = {key: _reading(key, items) for key, items in _measured(history).items()}
    for thread in find_threads(history, tuple(FOLLOWED))[0]:
        row = FOLLOWED[thread.tracked]
        for v, shift in zip(thread.values, _shifts(thread, history), strict=True):
            value = row.value(v.item.metrics or {})
            if value is not None:
                factor = float(np.exp(-shift if row.inverse else shift))
                own = found[v.stack, thread.dataset, thread.model, thread.method].values
                own[row.name] = (*own.get(row.name, ()), value * factor)
    return tuple(found.values())


def _shifts(thread: Thread, history: History) -> Array:
    """What joining the sessions adds to each value on its working scale."""
    values = np.array([v.value for v in thread.values])
    stacks = [release.stack for release in history.releases]
    anchors = anchors_of(thread, history)
    layout = Layout(
        tuple(stacks.index(v.stack) for v in thread.values),
        tuple(v.session for v in thread.values),
        tuple((session, shared) for session, shared in anchors.items() if shared),
    )
    joined, _ = join(values[:, None], layout)
    return np.asarray(joined[:, 0] - values)


def _reading(key: Key, items: list[Measurement]) -> Reading:
    refused = sum(not believed(item) for item in items)
    return Reading(*key, len(items), refused, max(item.began for item in items))


def _measured(history: History) -> Mapping[Key, list[Measurement]]:
    """Measurements by stack and case, as `ruler.threads` takes them: of the newest settings."""
    order = {release.stack: k for k, release in enumerate(history.releases)}
    ppls = {release.stack: release.ppl for release in history.releases}
    numbers = {session.name: k for k, session in enumerate(history.sessions)}

    def line(item: Measurement) -> Key:
        return ppls[item.case.stack], item.case.dataset, item.case.model.name, item.case.method

    known = [item for item in history.measurements if item.case.stack in order]
    known.sort(key=lambda item: (numbers[item.session], item.round))
    newest = {line(item): item.case.settings for item in sorted(known, key=believed)}
    found: dict[Key, list[Measurement]] = {}
    for item in sorted(known, key=lambda item: order[item.case.stack]):
        if item.case.settings == newest[line(item)]:
            found.setdefault((item.case.stack, *line(item)[1:]), []).append(item)
    return found

"""A metric along its releases, with what chance does to it: where it changed, and how surely."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gmixbench.ruler.history import History
from gmixbench.ruler.joining import Array, Layout, join
from gmixbench.ruler.segments import centres, drop_small, noise_of, segment
from gmixbench.ruler.streams import entries
from gmixbench.ruler.threads import Thread, anchors_of
from gmixbench.ruler.tracked import Tracked

Weights = Mapping[str, float]
"""Weight of each stack in a sum over releases."""


@dataclass(frozen=True, eq=False)
class Line:
    """A thread by entries: releases, or neighbours whose runs share their random stream.

    `entry` has the entry of each stack, in order of date, `levels` the median of each entry,
    `values` each value of the thread with sessions joined, all on the working scale. `half_width`
    is that of the interval of a weighted sum of releases, `None` where nothing tells of noise, and
    then `false_alarms` is `None` too. `starts` are the first stacks of all segments but the first.
    """

    entry: Mapping[str, int]
    levels: Array
    values: Array
    half_width: Callable[[Weights], float | None]
    starts: tuple[str, ...]
    false_alarms: float | None

    def total(self, weights: Weights) -> float:
        """Weighted sum of the releases' levels."""
        return float(_contrast(weights, self.entry, len(self.levels)) @ self.levels)

    def step(self, old: Sequence[str], new: Sequence[str]) -> Weights:
        """Weights of the mean of some releases' entries less that of others'."""
        return self._mean(new, 1.0) | self._mean(old, -1.0)

    def _mean(self, stacks: Sequence[str], factor: float) -> dict[str, float]:
        sizes = Counter(self.entry[stack] for stack in stacks)
        return {stack: factor / len(sizes) / sizes[self.entry[stack]] for stack in stacks}


def search(thread: Thread, history: History, alpha: float) -> Line:
    """Line of a thread, its changes found as `ruler.segments` says.

    Parameters
    ----------
    alpha
        Share of histories without a change that may show one.
    """
    entry, layout, kept = _lay_out(thread, history)
    values = np.array([v.value for v in thread.values])
    joined = values if thread.tracked.stream else join(values[:, None], layout)[0][:, 0]
    centre = centres(joined[kept, None], layout)
    levels, spread = centre.values[:, 0], float(centre.noise[0])
    noise = None if thread.tracked.factors else noise_of(values[kept], layout, alpha)
    if noise is None:
        return Line(entry, levels, joined, lambda _: None, (), None)
    least = band(thread.tracked)
    starts = drop_small(levels, segment(centre.studentized[:, 0], noise.penalty), least)
    first = {number: stack for stack, number in reversed(entry.items())}

    def half_width(weights: Weights) -> float:
        return noise.half_width(_contrast(weights, entry, len(levels)), spread)

    return Line(
        entry,
        levels,
        joined,
        half_width,
        tuple(first[start] for start in starts),
        noise.false_alarms(least),
    )


def product(line: Line, factors: Sequence[Line], tracked: Tracked) -> Line:
    """Line of a product, which changes only where a factor does, and only if it is seen in it.

    Its own rounds could not tell a changed stream, that several releases share, from a change. The
    factors' noises are independent (one is the random stream's, one the machine's), so their half
    widths add up in squares. A false alarm takes one in a factor: their rates add up.
    """
    rates = [factor.false_alarms for factor in factors if factor.false_alarms is not None]
    if len(rates) < len(factors):
        return line
    stacks = [*line.entry]

    def half_width(weights: Weights) -> float | None:
        if any(weights.keys() - factor.entry.keys() for factor in factors):
            return None
        widths = [factor.half_width(weights) for factor in factors]
        return math.hypot(*(width for width in widths if width is not None))

    def seen(old: int, new: int, end: int) -> bool:
        weights = line.step(stacks[old:new], stacks[new:end])
        half = half_width(weights)
        return half is not None and abs(line.total(weights)) >= half

    found = {_first_from(start, own, stacks) for own in factors for start in own.starts}
    starts = sorted(start for start in found if start)
    while True:
        starts = drop_small(line.levels, starts, band(tracked))
        bounds = [0, *starts, len(stacks)]
        unseen = [k for k in range(len(starts)) if not seen(*bounds[k : k + 3])]
        if not unseen:
            break
        del starts[unseen[0]]
    told = tuple(stacks[start] for start in starts)
    return Line(line.entry, line.levels, line.values, half_width, told, min(sum(rates), 1.0))


def band(tracked: Tracked) -> float:
    """Least change that is called one, on the working scale."""
    return math.log1p(tracked.band) if tracked.scale == "ratio" else tracked.band


def _lay_out(thread: Thread, history: History) -> tuple[dict[str, int], Layout, list[int]]:
    """Entry of each stack, and the layout of those values, by place, that count once each."""
    values = thread.values
    measured = {v.stack for v in values}
    shown = [release.stack for release in history.releases if release.stack in measured]
    order = {stack: k for k, stack in enumerate(shown)}
    releases = [order[v.stack] for v in values]
    sessions = tuple(v.session for v in values)
    if not thread.tracked.stream:
        anchors = anchors_of(thread, history)
        shared = tuple((session, some) for session, some in anchors.items() if some)
        return order, Layout(tuple(releases), sessions, shared), [*range(len(values))]
    entry = entries(releases, [v.item.case.seed for v in values], [v.noise for v in values])
    first: dict[tuple[int, int], int] = {}
    for place, (release, v) in enumerate(zip(releases, values, strict=True)):
        first.setdefault((entry[release], v.noise), place)
    kept = [*first.values()]
    numbers = {noise: k for k, noise in enumerate(dict.fromkeys(noise for _, noise in first))}
    layout = Layout(
        tuple(number for number, _ in first),
        tuple(sessions[place] for place in kept),
        noises=tuple(numbers[noise] for _, noise in first),
    )
    return {stack: entry[k] for stack, k in order.items()}, layout, kept


def _first_from(start: str, factor: Line, stacks: Sequence[str]) -> int | None:
    # A factor may have releases that the product has not.
    along = [*factor.entry]
    later = along[along.index(start) :]
    return next((stacks.index(stack) for stack in later if stack in stacks), None)


def _contrast(weights: Weights, entry: Mapping[str, int], count: int) -> Array:
    contrast = np.zeros(count)
    for stack, weight in weights.items():
        contrast[entry[stack]] += weight
    return contrast

"""Series of a history: a metric of a case along the releases of a library, and where it changed."""

import math
from itertools import pairwise
from typing import Literal

from gmixbench.ruler.changes import Change, Interval, Notice, Series
from gmixbench.ruler.dependencies import changed
from gmixbench.ruler.history import History
from gmixbench.ruler.lines import Line, Weights, product, search
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.threads import Thread, find_threads, left_out
from gmixbench.ruler.tracked import TRACKED, Tracked

WIDEST = math.log(1000.0)
"""Half width of a ratio's interval beyond which nothing is known, as of a difference's beyond a
hundred bands: where few releases have a second round, they tell next to nothing of the noise."""

PAGE_ALARMS = 0.05
"""Share of histories without any change that may show one, in any of all their series.

Shared out evenly to the series that are searched (Bonferroni): they are of the same runs, and far
from independent. A product changes only where a factor does, and takes no share.
"""


def find_series(history: History) -> tuple[tuple[Series, ...], tuple[Notice, ...]]:
    """All series with their changes, and notices of what stands in none."""
    threads, lost = find_threads(history, TRACKED)
    alpha = PAGE_ALARMS / max(sum(not thread.tracked.factors for thread in threads), 1)
    lines = {
        (thread.case, thread.tracked.metric): search(thread, history, alpha) for thread in threads
    }
    series = []
    for thread in threads:
        line, names = lines[thread.case, thread.tracked.metric], thread.tracked.factors
        factors = [lines[thread.case, name] for name in names if (thread.case, name) in lines]
        if names and len(factors) == len(names):
            line = product(line, factors, thread.tracked)
        series.append(_series(thread, line, history))
    return tuple(series), tuple(left_out(lost, history))


def _series(thread: Thread, line: Line, history: History) -> Series:
    tracked = thread.tracked
    scale = math.exp if tracked.scale == "ratio" else float
    releases = {r.stack: r for r in history.releases if r.ppl == thread.ppl}

    def half_width(weights: Weights) -> float | None:
        half = line.half_width(weights)
        widest = WIDEST if tracked.scale == "ratio" else 100 * tracked.band
        return None if half is None or half > widest else half

    def told(weights: Weights) -> Interval:
        estimate, half = line.total(weights), half_width(weights) or 0.0
        return scale(estimate), scale(estimate - half), scale(estimate + half)

    stacks = [*line.entry]
    weights = {new: line.step([old], [new]) for old, new in pairwise(stacks)}
    steps = {new: told(step) for new, step in weights.items()}
    judged = {new for new, step in weights.items() if half_width(step) is not None}
    starts = [0, *map(stacks.index, line.starts), len(stacks)]

    def change(old: int, new: int, end: int) -> Change:
        before, after = stacks[new - 1], stacks[new]
        effect = told(line.step(stacks[old:new], stacks[new:end]))
        return Change(
            stack=after,
            before=before,
            verdict=_verdict(tracked, effect[0]),
            effect=effect,
            step=steps[after],
            dependencies=changed(releases[before].versions, releases[after].versions),
        )

    by_stack: dict[str, list[float]] = {stack: [] for stack in releases}
    for v, number in zip(thread.values, line.values, strict=True):
        by_stack[v.stack].append(scale(float(number)))
    return Series(
        ppl=thread.ppl,
        dataset=thread.dataset,
        model=thread.model,
        method=thread.method,
        metric=tracked.metric,
        scale=tracked.scale,
        stacks=tuple(by_stack),
        values=tuple(map(tuple, by_stack.values())),
        centre=tuple(told({s: 1.0}) if s in line.entry else None for s in by_stack),
        steps=tuple(steps[s] if s in judged else None for s in by_stack),
        changes=tuple(change(*starts[k : k + 3]) for k in range(len(starts) - 2)),
        false_alarms=line.false_alarms,
    )


def _verdict(tracked: Tracked, effect: float) -> Literal["improved", "regressed", "changed"]:
    better = METRICS[tracked.metric].better
    if better is None:
        return "changed"
    grew = effect > (1.0 if tracked.scale == "ratio" else 0.0)
    return "improved" if grew == (better == "higher") else "regressed"

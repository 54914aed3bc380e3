"""The blocks in order of time: each one's own change, and what was said at each look."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gmixbench.report import style
from gmixbench.report.comparison.findings import change
from gmixbench.report.comparison.scale import (
    BAND_FILL,
    MARKS,
    View,
    label,
    place,
    shortened,
    width,
    within,
)
from gmixbench.report.verdicts import size
from gmixbench.ruler.comparison.course import Course, Point
from gmixbench.ruler.comparison.nouns import Finding
from gmixbench.ruler.metrics import METRICS

COLUMNS = 2

HEIGHT = 1.75
"""Inches of a panel."""

APART = 12
"""Share of the width, as its inverse, that the size of a block far out takes to be written."""


def blocks(courses: Sequence[Course], old: str, new: str) -> Figure:
    """A panel for each metric of a task.

    Parameters
    ----------
    courses : of one task; at least one
    old, new : names of the variants, for the legend
    """
    rows = -(-len(courses) // COLUMNS)
    drawing = style.figure(0.55 + HEIGHT * rows)
    grid = drawing.subplots(rows, COLUMNS, sharex=True, squeeze=False)
    panels = [axes for row in grid for axes in row]
    for axes, course in zip(panels, courses, strict=False):
        _draw(axes, course)
    for axes in panels[len(courses) :]:
        axes.set_visible(False)
    for axes in panels[len(courses) - COLUMNS : len(courses)]:
        axes.set_xlabel("block")
        axes.tick_params(labelbottom=True)
    drawing.legend(
        handles=_keys(shortened(old, 24), shortened(new, 24)),
        loc="outside upper left",
        ncols=5,
        handletextpad=0.4,
        columnspacing=1.4,
    )
    return drawing


def _draw(axes: Axes, course: Course) -> None:
    finding = course.finding
    last = max(point.block for point in course.points)
    bounds = [
        place(said, bound)
        for _, said in course.said[-1:]
        for bound in (said.change.low, said.change.high)
    ]
    where = [place(finding, point.change) for point in course.points]
    shown = within(where, [bound for bound in bounds if math.isfinite(bound)], width(finding))
    axes.set_ylim(shown.low, shown.high)
    axes.set_xlim(0, last + 1)
    band = width(finding)
    axes.axhspan(-band, band, color=BAND_FILL, linewidth=0)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    _looks(axes, course.said, last, shown)
    _points(axes, finding, course.points, shown)
    if finding.ratio:
        label(axes.yaxis, shown, most=6)
    else:
        axes.set_ylabel(METRICS[finding.metric].unit)
    _, colour = MARKS[finding.verdict]
    ink = style.INK if finding.verdict == "inconclusive" else colour
    axes.set_title(
        f"{finding.metric}: {change(finding)}, {finding.verdict}", color=ink, fontsize=9.5
    )


def _looks(axes: Axes, ends: Sequence[tuple[int, Finding]], last: int, shown: View) -> None:
    """From each look to the next, what was said there."""
    for seen, _ in ends:
        axes.axvline(seen, color=style.FAINT, linewidth=0.7, linestyle=(0, (1, 2)))
    untils = [*(seen for seen, _ in ends[1:]), last + 1]
    for (seen, said), until in zip(ends, untils, strict=False):  # before the first look, none
        found, (_, colour) = said.change, MARKS[said.verdict]
        low, middle, high = (
            shown.clipped(place(said, part)) for part in (found.low, found.estimate, found.high)
        )
        axes.fill_between([seen, until], low, high, color=colour, alpha=0.28, linewidth=0)
        axes.plot([seen, until], [middle, middle], color=colour, linewidth=1.6)


def _points(axes: Axes, finding: Finding, points: Sequence[Point], shown: View) -> None:
    written = -math.inf
    for point in points:
        where = place(finding, point.change)
        marker = "o" if shown.holds(where) else "^" if where > 0 else "v"
        axes.plot(
            point.block, shown.clipped(where), marker, color=style.INK, markersize=3.6,
            markeredgewidth=0.8, markerfacecolor=style.INK if point.old_first else "white",
            clip_on=False, zorder=3,
        )  # fmt: skip
        if marker != "o" and point.block - written > points[-1].block / APART:
            written = point.block
            _far(axes, finding, point, shown)


def _far(axes: Axes, finding: Finding, point: Point, shown: View) -> None:
    """Say how far out a block is that lies beyond the edge."""
    where = shown.clipped(place(finding, point.change))
    axes.annotate(
        size(finding.metric, point.change), (point.block, where), (4, 0),
        textcoords="offset points", fontsize=8, va="center", color=style.INK,
    )  # fmt: skip


def _keys(old: str, new: str) -> list[Line2D | Patch]:
    dot: dict[str, Any] = {"color": style.INK, "marker": "o", "linestyle": "", "markersize": 4}
    return [
        Line2D([], [], label=f"block, {old} first", **dot),
        Line2D([], [], label=f"{new} first", markerfacecolor="white", **dot),
        Line2D([], [], color=style.FAINT, linewidth=5, alpha=0.5, label="said at the last look"),
        Line2D([], [], color=style.FAINT, linestyle=(0, (1, 2)), label="look"),
        Patch(color=BAND_FILL, label="no change"),
    ]

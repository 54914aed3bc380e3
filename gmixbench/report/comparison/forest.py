"""The forest plot: every metric's change with its interval, beside the band of no change."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gmixbench.report import style
from gmixbench.report.comparison.findings import change
from gmixbench.report.comparison.scale import (
    BAND_FILL,
    MARKS,
    View,
    around,
    label,
    place,
    shortened,
    width,
)
from gmixbench.report.comparison.steps import step
from gmixbench.ruler.comparison.nouns import Finding, Outcome
from gmixbench.ruler.metrics import METRICS

ROW, HEAD, FOOT = 0.235, 0.4, 0.5
"""Inches: a row, what stands above a panel, and the labels below one."""

LEFT, WIDE = 0.315, 0.39
"""Where the axes stand, as shares of the figure's width."""

NAMES, CHANGES, VERDICTS = -0.79, 1.03, 1.75
"""Where the words stand, in widths of the axes from their left edge."""


@dataclass(frozen=True)
class Line:
    """A row: a finding under its name; a step's is indented."""

    name: str
    finding: Finding
    whole: bool


@dataclass(frozen=True)
class Panel:
    """Rows that share an axis: the ratios of a task, or its differences in one unit."""

    title: str
    unit: str
    lines: tuple[Line, ...]


def forest(outcome: Outcome) -> Figure:
    """A panel for the ratios of each task, and one for each of its differences.

    Parameters
    ----------
    outcome : with at least one finding
    """
    panels = _panels(outcome)
    heights = [HEAD + ROW * len(panel.lines) + FOOT for panel in panels]
    drawing = style.figure(sum(heights))
    drawing.set_layout_engine("none")  # rows are as high in every panel
    shown = _view([line.finding for panel in panels if not panel.unit for line in panel.lines])
    top = 1.0
    for panel, height in zip(panels, heights, strict=True):
        share = height / sum(heights)
        bottom = top - share * (height - FOOT) / height
        tall = share * ROW * len(panel.lines) / height
        axes = drawing.add_axes((LEFT, bottom, WIDE, tall))
        own = _view([line.finding for line in panel.lines]) if panel.unit else shown
        _draw(axes, panel, own)
        top -= share
    return drawing


def _panels(outcome: Outcome) -> list[Panel]:
    comparison = outcome.comparison
    found = []
    for task, named in enumerate(comparison.tasks):
        lines = [
            line for each in outcome.whole if each.task == task for line in _lines(outcome, each)
        ]
        names = [comparison.variants[side].name for side in comparison.pairs[0]]
        title = f"{named.name}: {names[0]} → {names[1]}"
        ratios = tuple(line for line in lines if line.finding.ratio)
        if ratios:
            found.append(Panel(title, "", ratios))
        rest = [line for line in lines if not line.finding.ratio]
        for unit in dict.fromkeys(METRICS[line.finding.metric].unit for line in rest):
            some = [line for line in rest if METRICS[line.finding.metric].unit == unit]
            found.append(Panel(f"{title}, differences", unit, tuple(some)))
    return found


def _lines(outcome: Outcome, whole: Finding) -> list[Line]:
    """A metric; and under it its steps, where there is something to explain."""
    first = Line(whole.metric, whole, whole=True)
    if not (whole.asked or whole.moved):
        return [first]
    steps = [
        Line(step(outcome.comparison, each.pair), each, whole=False)
        for each in outcome.findings
        if each.pair in outcome.comparison.pairs[1:]
        and (each.task, each.metric) == (whole.task, whole.metric)
    ]
    return [first, *steps]


def _view(findings: Sequence[Finding]) -> View:
    reaches = [_reach(each) for each in findings]
    return around(reaches, max(width(each) for each in findings))


def _reach(finding: Finding) -> float:
    found = finding.change
    ends = (place(finding, part) for part in (found.estimate, found.low, found.high))
    return max(abs(end) for end in ends if math.isfinite(end))


def _draw(axes: Axes, panel: Panel, shown: View) -> None:
    axes.set_xlim(shown.low, shown.high)
    axes.set_ylim(len(panel.lines) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=style.INK, linewidth=0.8, zorder=1.5)
    for row, line in enumerate(panel.lines):
        _row(axes, row, line, shown)
    if panel.unit:
        axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
        axes.set_xlabel(f"new less old, {panel.unit}")
    else:
        label(axes.xaxis, shown)
        axes.set_xlabel("new against old, log scale; shaded: no change")
    axes.grid(axis="x")
    _write(axes, NAMES, -0.95, shortened(panel.title, 90), weight="bold", fontsize=10.5)


def _row(axes: Axes, row: int, line: Line, shown: View) -> None:
    finding, found = line.finding, line.finding.change
    marker, colour = MARKS[finding.verdict]
    band = width(finding)
    axes.fill_betweenx(
        [row - 0.5, row + 0.5], max(-band, shown.low), min(band, shown.high), color=BAND_FILL,
        linewidth=0,
    )  # fmt: skip
    low, middle, high = (place(finding, part) for part in (found.low, found.estimate, found.high))
    open_ended = not (math.isfinite(low) and math.isfinite(high))
    ends = [shown.clipped(end) for end in (low, high)]
    axes.plot(
        ends, [row, row], color=colour, linewidth=1.8 if line.whole else 1.2,
        linestyle=(0, (1, 2)) if open_ended else "-", solid_capstyle="butt",
    )  # fmt: skip
    for end in (low, high):
        if not shown.holds(end):
            arrow = "<" if end < 0 else ">"
            axes.plot(shown.clipped(end), row, arrow, color=colour, markersize=5)
    if shown.holds(middle):
        axes.plot(
            middle, row, marker, color=colour, markersize=6.5 if line.whole else 4.5,
            markerfacecolor="white" if finding.verdict == "inconclusive" else colour,
        )  # fmt: skip
    _words(axes, row, line, colour)


def _words(axes: Axes, row: int, line: Line, colour: str) -> None:
    finding, large = line.finding, 9.5 if line.whole else 8.5
    indent = 0.0 if line.whole else 0.04
    _write(axes, NAMES + indent, row, shortened(line.name, 40), fontsize=large)
    if line.whole:
        better = f"{METRICS[finding.metric].better} is better"
        _write(axes, -0.04, row, better, ha="right", fontsize=8.5, color=style.FAINT)
    _write(axes, CHANGES, row, change(finding), fontsize=large)
    said = style.INK if finding.verdict == "inconclusive" else colour
    _write(axes, VERDICTS, row, finding.verdict, ha="right", fontsize=large, color=said)


def _write(axes: Axes, x: float, row: float, text: str, **how: Any) -> None:
    """Beside the axes, at the height of a row; a dollar in a name is no formula."""
    across = axes.get_yaxis_transform()
    axes.text(x, row, text, transform=across, va="center", parse_math=False, **how)

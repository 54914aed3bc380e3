"""The figures that rank samplers: what each gives and takes, and what that is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gmixbench.report import style
from gmixbench.report.numbers import number
from gmixbench.ruler.ranking import BARE, Estimate, Ranking, Row

ROW, ROOM = 0.28, 1.1
"""Inches: a row, and what stands above and below all of them."""

COLUMN = 46
"""Points: how far right of the axes the column of numbers ends."""

DASHED, DOTTED = (0, (4, 2)), (0, (1, 1.5))

HOLLOW: dict[str, Any] = {
    "color": style.VERMILLION,
    "markerfacecolor": "none",
    "markersize": 5,
    "zorder": 3,
}
"""Seen also where it lies on a row's own mark."""


@dataclass(frozen=True)
class Panel:
    """One axis of a figure: a metric of each row."""

    title: str
    metric: str
    label: str
    turned: bool = False


SPEED = (
    Panel("ESS per second", "ess_per_second", "ESS/s (more is better)"),
    Panel("Time to ESS 1000, from the start", "time_to_ess_1000", "s (less is better)"),
)

FACTORS = (
    Panel("ESS per gradient evaluation", "ess_per_gradient", "ESS/gradient (more is better)"),
    Panel(
        "Gradient evaluations per second",
        "seconds_per_gradient",
        "1/s (more is better)",
        turned=True,
    ),
)


def ranking(found: Ranking) -> Figure:
    """ESS per second and time to ESS 1000 of each row; the limit is a dashed line.

    A hollow mark is what a row's ESS per gradient evaluation would give, were a bare gradient all
    that it costs.
    """
    drawing = _figure(found, SPEED)
    for place, row in enumerate(found.samplers):
        paced = at_bare_pace(found, row)
        if paced is not None:
            drawing.axes[0].plot(paced, place, "D", **HOLLOW)
    marks = []
    if found.limits:
        dashed = Line2D([], [], color=style.EXACT, linestyle=DASHED, linewidth=1)
        dashed.set_label("limit: independent exact draws")
        marks.append(dashed)
    if any(at_bare_pace(found, row) is not None for row in found.samplers):
        marks.append(_bare(found, Line2D([], [], linestyle="none", marker="D", **HOLLOW)))
    _finish(drawing, marks)
    return drawing


def factors(found: Ranking) -> Figure:
    """What ESS per second is made of, in the order of `ranking`; a bare gradient is dotted."""
    drawing = _figure(found, FACTORS)
    marks = []
    if found.bare is not None:
        line: dict[str, Any] = {"color": style.VERMILLION, "linestyle": DOTTED, "linewidth": 1.4}
        drawing.axes[1].axvline(1 / found.bare.estimates[BARE].middle, zorder=1, **line)
        marks.append(_bare(found, Line2D([], [], **line)))
    _finish(drawing, marks)
    return drawing


def at_bare_pace(found: Ranking, row: Row) -> float | None:
    """ESS per second of a row at the pace of a bare gradient; of none whose chains run at once.

    Those evaluate several gradients in the time of one, and tell of no time of a gradient.
    """
    if found.bare is None or not {"ess_per_gradient", "seconds_per_gradient"} <= {*row.estimates}:
        return None
    return row.estimates["ess_per_gradient"].middle / found.bare.estimates[BARE].middle


def _bare(found: Ranking, mark: Line2D) -> Line2D:
    if found.bare is not None:
        told = number(1e6 * found.bare.estimates[BARE].middle)
        mark.set_label(f"pace of a bare gradient: {told} µs, by {found.bare.name}")
    return mark


def _finish(drawing: Figure, marks: Sequence[Line2D]) -> None:
    for axes in drawing.axes:
        style.plain_ticks(axes.xaxis)
    if marks:
        drawing.legend(handles=marks, loc="outside lower center", ncols=2)


def _figure(found: Ranking, panels: Sequence[Panel]) -> Figure:
    rows = found.samplers
    drawing = style.figure(ROOM + ROW * len(rows))
    grid = drawing.subplots(1, len(panels), sharey=True)
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel, rows, found.limits)
    grid[0].set_yticks(range(len(rows)), [row.name for row in rows])
    grid[0].set_ylim(len(rows) - 0.5, -0.5)
    return drawing


def _draw(axes: Axes, panel: Panel, rows: Sequence[Row], limits: Sequence[Row]) -> None:
    style.title(axes, panel.title)
    axes.set_xscale("log")
    axes.set_xlabel(panel.label)
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    for place, row in enumerate(rows):
        if panel.metric not in row.estimates:
            _beside(axes, place, "not told", color=style.FAINT)
            continue
        told = row.estimates[panel.metric]
        shown = _turned(told) if panel.turned else told
        low, high = (shown.low, shown.high) if math.isfinite(shown.high) else (shown.middle,) * 2
        axes.plot([low, high], [place, place], color=style.BLUE, linewidth=2.5)
        axes.plot(shown.middle, place, "o", color=style.BLUE, markersize=5)
        _beside(axes, place, number(shown.middle))
    for row in limits:
        if panel.metric in row.estimates:
            at = row.estimates[panel.metric].middle
            axes.axvline(at, color=style.EXACT, linestyle=DASHED, linewidth=1)
    axes.margins(x=0.06)


def _beside(axes: Axes, place: int, text: str, **look: Any) -> None:
    # A column right of the axes, where no mark can be.
    axes.annotate(
        text,
        (1, place),
        xycoords=axes.get_yaxis_transform(),
        xytext=(COLUMN, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
        **look,
    )


def _turned(found: Estimate) -> Estimate:
    low = 1 / found.high if math.isfinite(found.high) else 0.0
    return Estimate(1 / found.middle, low, 1 / found.low if found.low else math.inf)

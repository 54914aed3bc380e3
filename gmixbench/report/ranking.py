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
from gmixbench.ruler.ranking import Estimate, Ranking, Row

ROW, ROOM = 0.28, 1.1
"""Inches: a row, and what stands above and below all of them."""

LIMIT = "exact"
"""The backend that no sampler can pass: it draws independently, and computes no gradient."""

DASHED, DOTTED = (0, (4, 2)), (0, (1, 1.5))

HOLLOW: dict[str, Any] = {
    "color": style.VERMILLION,
    "markerfacecolor": "white",
    "markersize": 5,
    "zorder": 1,
}


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
    bare = found.bare
    if bare is not None:
        for place, row in enumerate(_ranked(found)):
            if "ess_per_gradient" in row.estimates:
                at = row.estimates["ess_per_gradient"].middle / bare.middle
                drawing.axes[0].plot(at, place, "D", **HOLLOW)
    marks = [_bare(found, Line2D([], [], linestyle="none", marker="D", **HOLLOW))]
    if any(row.backend == LIMIT for row in found.rows):
        dashed = Line2D([], [], color=style.EXACT, linestyle=DASHED, linewidth=1)
        dashed.set_label("limit: independent exact draws")
        marks.insert(0, dashed)
    _legend(drawing, marks)
    return drawing


def factors(found: Ranking) -> Figure:
    """What ESS per second is made of, in the order of `ranking`; a bare gradient is dotted."""
    drawing = _figure(found, FACTORS)
    line: dict[str, Any] = {"color": style.VERMILLION, "linestyle": DOTTED, "linewidth": 1.4}
    if found.bare is not None:
        drawing.axes[1].axvline(1 / found.bare.middle, **line)
    _legend(drawing, [_bare(found, Line2D([], [], **line))])
    return drawing


def _bare(found: Ranking, mark: Line2D) -> Line2D | None:
    if found.bare is None:
        return None
    mark.set_label(f"limit: a bare gradient, {number(1e6 * found.bare.middle)} µs")
    return mark


def _legend(drawing: Figure, marks: Sequence[Line2D | None]) -> None:
    handles = [mark for mark in marks if mark is not None]
    if handles:
        drawing.legend(handles=handles, loc="outside lower center", ncols=2)


def _ranked(found: Ranking) -> list[Row]:
    return [row for row in found.rows if row.backend != LIMIT]


def _figure(found: Ranking, panels: Sequence[Panel]) -> Figure:
    rows = _ranked(found)
    limit = [row for row in found.rows if row.backend == LIMIT]
    drawing = style.figure(ROOM + ROW * len(rows))
    grid = drawing.subplots(1, len(panels), sharey=True)
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel, rows, limit)
    grid[0].set_yticks(range(len(rows)), [row.name for row in rows])
    grid[0].set_ylim(len(rows) - 0.5, -0.5)
    return drawing


def _draw(axes: Axes, panel: Panel, rows: Sequence[Row], limit: Sequence[Row]) -> None:
    style.title(axes, panel.title)
    axes.set_xscale("log")
    axes.set_xlabel(panel.label)
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    for place, row in enumerate(rows):
        if panel.metric not in row.estimates:
            beside = axes.get_yaxis_transform()
            axes.text(0.01, place, "not told", transform=beside, va="center", color=style.FAINT)
            continue
        told = row.estimates[panel.metric]
        shown = _turned(told) if panel.turned else told
        low, high = (shown.low, shown.high) if math.isfinite(shown.high) else (shown.middle,) * 2
        axes.plot([low, high], [place, place], color=style.BLUE, linewidth=2.5)
        axes.plot(shown.middle, place, "o", color=style.BLUE, markersize=5)
        axes.annotate(
            number(shown.middle),
            (low, place),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )
    for row in limit:
        if panel.metric in row.estimates:
            at = row.estimates[panel.metric].middle
            axes.axvline(at, color=style.EXACT, linestyle=DASHED, linewidth=1)
    axes.margins(x=0.18)


def _turned(found: Estimate) -> Estimate:
    low = 1 / found.high if math.isfinite(found.high) else 0.0
    return Estimate(1 / found.middle, low, 1 / found.low if found.low else math.inf)

"""The chart of a history as a still picture: validity first, then one panel per metric."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, NullLocator

from gmixbench.report import style
from gmixbench.report.history_words import library, mark
from gmixbench.report.pane import (
    Line,
    Pane,
    Point,
    Standing,
    bounds,
    datasets,
    invalid,
    panes,
    points,
    standings,
    ticks,
    weight,
)
from gmixbench.ruler.changes import Change, Findings, Series
from gmixbench.ruler.history import History, Release

LINES: Mapping[str, Any] = {"unordered": "-", "ordered": (0, (3, 1.6))}
MARKERS = {"unordered": "o", "ordered": "s"}
HALO = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.65}

ROW, PANEL, EDGES = 0.16, 1.22, 1.5
"""Inches of a line of the validity panel, of a metric's panel, and of labels above and below."""


def timeline(history: History, findings: Findings, dataset: str | None = None) -> Figure:
    """Chart of one data set, the first that was measured unless it is named.

    The date is on the x axis. The first panel tells whether each release was right in each case;
    the others show one metric each, with intervals over rounds, and the size of each change.
    """
    name = dataset or next(iter(datasets(history)), "")
    lines = standings(history, name)
    shown = panes(findings, name)
    height = EDGES + ROW * max(len(lines), 2) + PANEL * len(shown)
    drawing = style.figure(height)
    ratios = [ROW * max(len(lines), 2), *[PANEL] * len(shown)]
    axes = drawing.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    _validity(axes[0], history, lines)
    wrong = invalid(history, lines)
    for panel, (pane, series) in zip(axes[1:], shown, strict=True):
        _panel(panel, pane, series, history)
        _feet(panel, pane, lines, history)
    for panel in axes:
        for release in wrong:
            panel.axvline(
                _day(release), color=style.VERMILLION, linewidth=0.8, alpha=0.45, zorder=0
            )
    _dates(list(axes), history)
    drawing.legend(
        handles=_key(history), loc="outside upper left", ncols=6, columnspacing=1.2, fontsize=8.5
    )
    # Sizes are looked at last: labels must know where the layout has put their panels.
    drawing.draw_without_rendering()
    for panel, (_, series) in zip(axes[1:], shown, strict=True):
        _changes(panel, series, history)
    return drawing


def _day(release: Release) -> float:
    return float(mdates.date2num(date.fromisoformat(release.released)))  # type: ignore[no-untyped-call]  # has no types


def _key(history: History) -> list[Line2D]:
    names = dict.fromkeys(release.ppl for release in history.releases)
    models = dict.fromkeys(item.case.model.name for item in history.measurements)
    keys = [
        Line2D([], [], color=style.ppl_colour(name), linewidth=3, label=library(name))
        for name in names
    ]
    keys += [
        Line2D(
            [], [], color=style.INK, linestyle=LINES.get(model, "-"), markersize=4,
            marker=MARKERS.get(model, "^"), label=model,
        )
        for model in models
    ]  # fmt: skip
    crosses: dict[str, Any] = {"linestyle": "", "color": style.VERMILLION, "markersize": 6}
    keys.append(Line2D([], [], marker="X", label="invalid (no speed shown)", **crosses))
    keys.append(Line2D([], [], marker="D", label="failed", **crosses, markerfacecolor="white"))
    return keys


def _validity(axes: Axes, history: History, lines: Mapping[Line, Mapping[str, Standing]]) -> None:
    axes.set_title("Was the posterior right?")
    for row, (line, found) in enumerate(lines.items()):
        for release in history.releases:
            if release.stack not in found:
                continue
            verdict, colour = found[release.stack].verdict, style.ppl_colour(line.ppl)
            looks: dict[str, Any] = {
                "valid": {"marker": "o", "color": colour, "markersize": 3.4},
                "unconverged": {
                    "marker": "o", "color": colour, "markersize": 3.6, "markerfacecolor": "white",
                },
                "invalid": {"marker": "X", "color": style.VERMILLION, "markersize": 7.5},
                "failed": {
                    "marker": "D", "color": style.VERMILLION, "markersize": 5,
                    "markerfacecolor": "white",
                },
            }[verdict]  # fmt: skip
            axes.plot([_day(release)], [row], linestyle="", zorder=3, **looks)
    axes.set_yticks(range(len(lines)), [line.name for line in lines], fontsize=8)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.tick_params(axis="both", length=0)
    axes.grid(axis="y")
    axes.spines[["left", "bottom"]].set_visible(False)
    if any(s.verdict == "unconverged" for found in lines.values() for s in found.values()):
        axes.set_title("open: ADVI not converged", loc="right", fontsize=8.5, color=style.FAINT)


def _panel(axes: Axes, pane: Pane, series: Sequence[Series], history: History) -> None:
    axes.set_title(pane.title)
    axes.set_ylabel("" if pane.unit == "s" else pane.unit)
    low, high = bounds(pane, series)
    if pane.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(ticks(low, high)))
        axes.yaxis.set_minor_locator(NullLocator())
    seconds = EngFormatter("s") if pane.unit == "s" else None
    axes.yaxis.set_major_formatter(seconds or FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_ylim(low, high)
    axes.grid(axis="y")
    if pane.reference and low < pane.reference[0] < high:
        value, words = pane.reference
        axes.axhline(value, color=style.INK, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.text(
            0.998, value, words, fontsize=8, ha="right", va="bottom",
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    for one in series:
        _line(axes, one, points(history, one), low)


def _line(axes: Axes, series: Series, along: Sequence[Point], low: float) -> None:
    colour = style.ppl_colour(series.ppl)
    days = [_day(point.release) for point in along]
    # A release without a value leaves a gap: a line through it would claim one.
    values = [max(p.centre[0], low) if p.centre else float("nan") for p in along]
    axes.plot(
        days, values, color=colour, linestyle=LINES.get(series.model, "-"), linewidth=1.1,
        marker=MARKERS.get(series.model, "^"), markersize=3,
    )  # fmt: skip
    for day, point in zip(days, along, strict=True):
        if point.centre:
            ends = [max(end, low) for end in point.centre[1:]]
            axes.plot([day, day], ends, color=colour, linewidth=1.6, alpha=0.5)


def _feet(
    axes: Axes, pane: Pane, lines: Mapping[Line, Mapping[str, Standing]], history: History
) -> None:
    for release in history.releases:
        verdicts = {
            found[release.stack].verdict
            for line, found in lines.items()
            if line.method == pane.method and release.stack in found
        }
        for verdict, marker in (("invalid", "X"), ("failed", "D")):
            if verdict in verdicts:
                axes.plot(
                    [_day(release)], [0.06], linestyle="", marker=marker, clip_on=False,
                    color=style.VERMILLION, markersize=7 if marker == "X" else 5, zorder=4,
                    markerfacecolor=style.VERMILLION if marker == "X" else "white",
                    transform=axes.get_xaxis_transform(),
                )  # fmt: skip


def _changes(axes: Axes, series: Sequence[Series], history: History) -> None:
    """A heavy upright at each change, and its size where there is room: largest first."""
    marks: dict[tuple[str, str, str], list[tuple[Series, Point, Change, float]]] = {}
    for one in series:
        along = points(history, one)
        for old, point in pairwise(along):
            if point.change is None or point.centre is None:
                continue
            day, low = _day(point.release), axes.get_ylim()[0]
            start = old.centre[0] if old.centre else point.centre[0]
            ends = [max(start, low), max(point.centre[0], low)]
            axes.plot(
                [day, day], ends, color=style.ppl_colour(one.ppl), linewidth=2.6, alpha=0.6,
                solid_capstyle="butt", zorder=2,
            )  # fmt: skip
            key = (one.ppl, point.release.stack, point.change.verdict)
            marks.setdefault(key, []).append((one, point, point.change, ends[1]))
    taken: list[Any] = []
    for (_, _, verdict), some in sorted(marks.items(), key=lambda entry: -_weight(entry[1])):
        one, point, change, value = max(some, key=lambda entry: entry[-1])
        arrow = {"regressed": "▼ ", "improved": "▲ "}.get(verdict, "")
        colour = {"regressed": style.VERMILLION, "improved": "#007a5a"}.get(verdict, style.INK)
        for offset in ((0, 6), (0, -14), (0, 17), (0, -25)):
            text = axes.annotate(
                arrow + mark(one, change), (_day(point.release), value), xytext=offset,
                textcoords="offset points", fontsize=8, fontweight="bold", color=colour,
                ha="center", bbox=HALO, zorder=5, annotation_clip=False,
            )  # fmt: skip
            text.set_in_layout(False)
            if text.get_window_extent().x1 > axes.get_window_extent().x1 + 6:
                text.set_horizontalalignment("right")
            box = text.get_window_extent().expanded(1.05, 1.05)
            frame = axes.get_window_extent()
            inside = frame.y0 <= box.y0 and box.y1 <= frame.y1 + 4
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _weight(some: Iterable[tuple[Series, Point, Change, float]]) -> float:
    return max(weight(one, change) for one, _, change, _ in some)


def _dates(axes: Sequence[Axes], history: History) -> None:
    days = [_day(release) for release in history.releases] or [0.0, 1.0]
    pad = max(0.02 * (max(days) - min(days)), 20)
    axes[-1].set_xlim(min(days) - pad, max(days) + pad)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=10)  # type: ignore[no-untyped-call]  # has no types
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # has no types
    axes[-1].set_xlabel("date of release")
    for panel in axes[:-1]:
        panel.tick_params(axis="x", length=0)
    span = axes[-1].get_xlim()
    for k, name in enumerate(dict.fromkeys(release.ppl for release in history.releases)):
        line = [release for release in history.releases if release.ppl == name]
        kept = thinned(line, 0.026 * (span[1] - span[0]))
        for release in kept:
            axes[0].annotate(
                release.version, (_day(release), 1.0), xytext=(0, 18 + 32 * k),
                xycoords=axes[0].get_xaxis_transform(), textcoords="offset points", rotation=90,
                fontsize=7.5, color=style.ppl_colour(name), ha="center", va="bottom",
            )  # fmt: skip


def thinned(line: Sequence[Release], apart: float) -> list[Release]:
    """Releases whose labels have room, so many days apart; first, last and new majors first."""
    firsts = {_major(release): release for release in reversed(line)}
    order = [*line[-1:], *line[:1], *firsts.values(), *reversed(line)]
    kept: list[Release] = []
    for release in order:
        if all(abs(_day(release) - _day(other)) >= apart for other in kept):
            kept.append(release)
    return kept


def _major(release: Release) -> str:
    return release.package + release.version.split(".", 1)[0]

"""The chart of a history for the page: a Plotly figure as plain data."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from html import escape
from math import log10
from typing import Any

from gmixbench.report import style
from gmixbench.report.history_words import (
    case,
    interval,
    library,
    mark,
    metric,
    moved,
    value,
)
from gmixbench.report.pane import (
    METHODS,
    Line,
    Pane,
    Point,
    Standing,
    bounds,
    invalid,
    panes,
    points,
    standings,
    ticks,
    weight,
)
from gmixbench.ruler.changes import Findings, Series
from gmixbench.ruler.dependencies import short
from gmixbench.ruler.history import History, Release

DASHES = {"unordered": "solid", "ordered": "dash"}
SYMBOLS = {"unordered": "circle", "ordered": "square"}

PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))

ROW, PANEL, GAP, TOP, BOTTOM = 22, 150, 46, 50, 44
"""Pixels of a line of the validity panel, of a panel, between panels, above and below all."""

LABEL_ROOM = (15.0, 8.0)
"""How many sizes of changes have room beside each other in a panel, and above each other."""

Data = dict[str, Any]


def interactive(history: History, findings: Findings, dataset: str) -> Data:
    """Plotly figure of one data set: `data` and `layout`, to be drawn by plotly.js.

    Each trace's `meta` has its PPL and model, by which the page shows and hides it.
    """
    lines = standings(history, dataset)
    shown = panes(findings, dataset)
    with_it = {stack: short(texts) for stack, texts in moved(history).items()}
    heights = [ROW * max(len(lines), 2), *[PANEL] * len(shown)]
    total = sum(heights) + GAP * (len(heights) - 1)
    layout = _layout(total + TOP + BOTTOM)
    traces: list[Data] = []
    top = total
    for k, tall in enumerate(heights):
        axis = "" if k == 0 else str(k + 1)
        domain = [(top - tall) / total, top / total]
        if k == 0:
            layout["yaxis"] = _validity_axis(lines, domain)
            layout["annotations"].append(_title("Was the posterior right?", domain[1]))
            traces += _validity(history, lines, with_it)
        else:
            pane, series = shown[k - 1]
            low, high = bounds(pane, series)
            layout[f"yaxis{axis}"] = _axis(pane, (low, high), domain)
            layout["annotations"].append(_title(_pane_title(pane), domain[1]))
            if pane.reference and low < pane.reference[0] < high:
                layout["shapes"].append(_reference(pane.reference[0], f"y{axis}"))
            spoken = _spoken(history, pane, series, (low, high))
            for one in series:
                along = points(history, one)
                found = lines.get(Line(one.ppl, dataset, one.model, one.method), {})
                own = {stack for line, stack in spoken if line == (one.ppl, one.model)}
                line = _line(one, along, found, with_it, low, own)
                traces += [{**trace, "yaxis": f"y{axis}"} for trace in line]
        top -= tall + GAP
    layout["xaxis"]["anchor"] = "y" if len(heights) == 1 else f"y{len(heights)}"
    layout["shapes"] += [_upright(release) for release in invalid(history, lines)]
    return {"data": traces, "layout": layout}


def _layout(height: int) -> Data:
    return {
        "height": height,
        "margin": {"l": 62, "r": 14, "t": TOP, "b": BOTTOM},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": "#ffffff", "font": {"color": style.INK}},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": style.INK},
        "xaxis": {
            "type": "date",
            "gridcolor": "#eef0f2",
            "title": {"text": "date of release"},
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikecolor": style.FAINT,
            "spikedash": "dot",
        },
        "annotations": [],
        "shapes": [],
    }


def _validity_axis(lines: Iterable[Line], domain: Sequence[float]) -> Data:
    names = [f"{line.model} {METHODS[line.method]}" for line in lines]
    return {
        "domain": domain,
        "range": [len(names) - 0.4, -0.6],
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "tickfont": {"size": 10.5},
        "automargin": True,
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": "#eef0f2",
    }


def _axis(pane: Pane, ends: tuple[float, float], domain: Sequence[float]) -> Data:
    axis: Data = {
        "domain": list(domain),
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": "#eef0f2",
        "tickfont": {"size": 11},
        "range": list(ends),
    }
    if pane.log:
        round_ones = ticks(*ends)
        axis |= {
            "type": "log",
            "range": [log10(end) for end in ends],
            "tickvals": round_ones,
            "ticktext": [_tick(tick, pane.unit) for tick in round_ones],
        }
    return axis


def _tick(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:,g}"
    factor, prefix = next(
        ((factor, prefix) for factor, prefix in PREFIXES if value >= factor), PREFIXES[-1]
    )
    return f"{value / factor:g} {prefix}s"


def _pane_title(pane: Pane) -> str:
    return f"{pane.title}, {pane.unit}" if pane.unit not in ("", "s") else pane.title


def _title(text: str, top: float) -> Data:
    return {
        "text": f"<b>{text}</b>",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": top,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 13},
    }


def _reference(at: float, axis: str) -> Data:
    line = {"color": style.INK, "width": 1, "dash": "dot"}
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": at, "y1": at,
        "line": line, "layer": "below",
    }  # fmt: skip


def _upright(release: Release) -> Data:
    return {
        "type": "line", "x0": release.released, "x1": release.released, "yref": "paper", "y0": 0,
        "y1": 1, "line": {"color": style.VERMILLION, "width": 1}, "opacity": 0.45, "layer": "below",
    }  # fmt: skip


def _validity(
    history: History, lines: Mapping[Line, Mapping[str, Standing]], with_it: Mapping[str, str]
) -> list[Data]:
    traces = []
    for row, (line, found) in enumerate(lines.items()):
        shown = [release for release in history.releases if release.stack in found]
        verdicts = [found[release.stack].verdict for release in shown]
        bad = [verdict in ("invalid", "failed") for verdict in verdicts]
        symbols = {
            "valid": "circle",
            "unconverged": "circle-open",
            "invalid": "x",
            "failed": "diamond-open",
        }
        colour = style.ppl_colour(line.ppl)
        colours = [style.VERMILLION if b else colour for b in bad]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [release.released for release in shown],
                "y": [row] * len(shown),
                "marker": {
                    "symbol": [symbols[verdict] for verdict in verdicts],
                    "size": [12 if b else 7 for b in bad],
                    "opacity": 1,  # where sizes differ Plotly would let marks shine through
                    "color": colours,
                    "line": {"width": [2 if b else 1 for b in bad], "color": colours},
                },
                "text": [_hover(r, line.name, None, found.get(r.stack), with_it) for r in shown],
                "hovertemplate": "%{text}<extra></extra>",
                "meta": {"ppl": line.ppl, "model": line.model},
                "yaxis": "y",
            }
        )
    return traces


def _line(
    series: Series,
    along: Sequence[Point],
    found: Mapping[str, Standing],
    with_it: Mapping[str, str],
    low: float,
    spoken: Collection[str],
) -> list[Data]:
    colour = style.ppl_colour(series.ppl)
    common: Data = {
        "type": "scatter",
        "hovertemplate": "%{text}<extra></extra>",
        "meta": {"ppl": series.ppl, "model": series.model},
    }
    name = f"{library(series.ppl)} {case(series)}"

    def hover(some: Sequence[Point]) -> list[str]:
        return [
            _hover(p.release, name, (series, p), found.get(p.release.stack), with_it) for p in some
        ]

    values = [None if p.centre is None else max(p.centre[0], low) for p in along]
    up = [0.0 if p.centre is None else max(p.centre[2] - p.centre[0], 0.0) for p in along]
    down = [
        0.0 if p.centre is None else max(max(p.centre[0], low) - max(p.centre[1], low), 0.0)
        for p in along
    ]
    traces: list[Data] = [
        {
            **common,
            "mode": "lines+markers",
            "x": [point.release.released for point in along],
            "y": values,
            "text": hover(along),
            "line": {"color": colour, "width": 1.6, "dash": DASHES.get(series.model, "solid")},
            "marker": {"size": 6, "symbol": SYMBOLS.get(series.model, "triangle-up")},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": up,
                "arrayminus": down,
                "width": 0,
                "thickness": 1.6,
                "color": colour,
            },
        }
    ]
    changes = [p for p in along if p.change is not None and p.centre is not None]
    if changes:
        traces.append(_changes(series, changes, hover(changes), common, low, spoken))
    wrong = [
        p
        for p in along
        if p.release.stack in found and found[p.release.stack].verdict in ("invalid", "failed")
    ]
    if wrong:
        traces.append(_feet(wrong, found, hover(wrong), common, low))
    return traces


def _spoken(
    history: History, pane: Pane, series: Sequence[Series], ends: tuple[float, float]
) -> set[tuple[tuple[str, str], str]]:
    """Changes whose size has room, by library and model, and stack: the largest first.

    Both models mostly change at once, and then one of them speaks; all are marked.
    """
    days = [date.fromisoformat(release.released).toordinal() for release in history.releases]
    scale = log10 if pane.log else float
    foot, head = map(scale, ends)
    placed = [
        (weight(one, point.change), one, point, point.centre[0])
        for one in series
        for point in points(history, one)
        if point.change is not None and point.centre is not None
    ]
    taken: list[tuple[float, float]] = []
    told: set[tuple[str, str]] = set()
    found = set()
    for _, one, point, level in sorted(placed, key=lambda entry: -entry[0]):
        day = date.fromisoformat(point.release.released).toordinal()
        x = LABEL_ROOM[0] * (day - min(days)) / max(max(days) - min(days), 1)
        y = LABEL_ROOM[1] * (scale(max(level, ends[0])) - foot) / (head - foot)
        free = all(abs(x - other[0]) >= 1 or abs(y - other[1]) >= 1 for other in taken)
        if free and (one.ppl, point.release.stack) not in told:
            taken.append((x, y))
            told.add((one.ppl, point.release.stack))
            found.add(((one.ppl, one.model), point.release.stack))
    return found


def _changes(
    series: Series,
    changes: Sequence[Point],
    hover: list[str],
    common: Data,
    low: float,
    spoken: Collection[str],
) -> Data:
    told = [(p, p.change, p.centre) for p in changes if p.change is not None and p.centre]
    arrows = {"regressed": "▼", "improved": "▲"}
    colours = {"regressed": style.VERMILLION, "improved": "#007a5a"}
    return {
        **common,
        "mode": "markers+text",
        "x": [p.release.released for p, _, _ in told],
        "y": [max(centre[0], low) for _, _, centre in told],
        "text": [
            f"<b>{arrows.get(c.verdict, '●')} {mark(series, c)}</b>"
            if p.release.stack in spoken
            else ""
            for p, c, _ in told
        ],
        "textposition": "bottom center",
        "textfont": {"size": 11, "color": [colours.get(c.verdict, style.INK) for _, c, _ in told]},
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {
            "symbol": "circle-open",
            "size": 12,
            "color": [colours.get(c.verdict, style.INK) for _, c, _ in told],
            "line": {"width": 2},
        },
        "cliponaxis": False,
    }


def _feet(
    wrong: Sequence[Point],
    found: Mapping[str, Standing],
    hover: list[str],
    common: Data,
    low: float,
) -> Data:
    invalid = [found[p.release.stack].verdict == "invalid" for p in wrong]
    return {
        **common,
        "mode": "markers",
        "x": [point.release.released for point in wrong],
        "y": [low] * len(wrong),
        "text": hover,
        "marker": {
            "symbol": ["x" if bad else "diamond-open" for bad in invalid],
            "size": 10,
            "color": style.VERMILLION,
            "line": {"width": [0 if bad else 2 for bad in invalid]},
        },
        "cliponaxis": False,
    }


def _hover(
    release: Release,
    name: str,
    shown: tuple[Series, Point] | None,
    standing: Standing | None,
    with_it: Mapping[str, str],
) -> str:
    title = library(release.ppl)
    lines = [
        f"<b>{escape(f'{title} {release.version}')}</b>, {release.released}, "
        + escape(f"Python {release.python}"),
        escape(name),
    ]
    if shown is not None and shown[1].centre is not None:
        series, point = shown
        rounds = ", ".join(value(series.metric, one) for one in point.values)
        lines.append(f"{metric(series.metric)}: <b>{interval(series.metric, point.centre)}</b>")
        count = len(point.values)
        lines.append(f"{count} {'round' if count == 1 else 'rounds'}: {rounds}")
        if point.change is not None:
            lines.append(f"<b>{point.change.verdict}: {mark(series, point.change)}</b>")
    if standing is not None:
        lines.append(_said(standing))
        lines += [escape(_cut(reason)) for reason in standing.reasons[:2]]
    if with_it.get(release.stack):
        lines.append(f"with it: {escape(_cut(with_it[release.stack]))}")
    return "<br>".join(lines)


def _said(standing: Standing) -> str:
    words = {
        "valid": "valid in all",
        "unconverged": f"valid, but not converged in {standing.unconverged} of",
        "invalid": f"<b>invalid</b> in {standing.measured - standing.valid - standing.failed} of",
        "failed": f"<b>failed</b> in {standing.failed} of",
    }[standing.verdict]
    labels = f"; labels {', '.join(standing.labels)}" if standing.labels else ""
    return f"{words} {standing.measured} rounds{labels}"


def _cut(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

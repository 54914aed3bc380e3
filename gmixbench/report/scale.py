"""Costs as the data grow, drawn and in tables: time and memory of a gradient by observations."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from gmixbench.report import style
from gmixbench.report.numbers import MISSING, number, quantity
from gmixbench.ruler.growth import Growth
from gmixbench.ruler.scale import Row, Size

COLOURS = (
    style.BLUE,
    style.ORANGE,
    style.GREEN,
    style.PURPLE,
    style.SKY,
    style.VERMILLION,
    style.INK,
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""One of each for a row, so that none is told by its colour alone; beyond them lines are dashed."""

BYTES = 8
"""Of an observation in float64."""

Cost = Callable[[Size], float | None]


def figure(rows: Sequence[Row]) -> Figure:
    """CPU seconds and memory of a gradient by observations, both log-log, a line a row."""
    drawing = style.figure(4.6)
    left, right = drawing.subplots(1, 2)
    _draw(left, rows, lambda size: size.gradient_s)
    _draw(right, rows, lambda size: size.memory if size.memory and size.memory > 0 else None)
    style.title(left, "Time of a gradient evaluation")
    left.set_ylabel("CPU seconds")
    style.title(right, "Memory, from before the model is built")
    right.set_ylabel("bytes at the peak while evaluating")
    _guide(left, rows)
    sizes = sorted({size.n for row in rows for size in row.sizes})
    data = [BYTES * n for n in sizes]
    right.plot(sizes, data, color=style.FAINT, linestyle=(0, (4, 2)), linewidth=1, zorder=0)
    right.annotate(
        "the observations themselves",
        (sizes[0], data[0]),
        xytext=(24, 2),
        textcoords="offset points",
        color=style.FAINT,
        fontsize=8.5,
    )
    handles, names = left.get_legend_handles_labels()
    drawing.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
    return drawing


def _draw(axes: Axes, rows: Sequence[Row], cost: Cost) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("observations")
    axes.grid(visible=True)
    for place, row in enumerate(rows):
        told = [(size.n, cost(size)) for size in row.right]
        points = [(n, value) for n, value in told if value is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=row.name, **_look(place))


def _look(place: int) -> dict[str, Any]:
    turn, place = divmod(place, len(COLOURS))
    return {
        "color": COLOURS[place],
        "marker": MARKERS[place],
        "markersize": 5,
        "linestyle": style.CHAIN_LINES[turn % len(style.CHAIN_LINES)],
    }


def _guide(axes: Axes, rows: Sequence[Row]) -> None:
    # A line of slope 1 a factor of 3 below the cheapest row, so that it crosses none.
    last = [(size.n, size.gradient_s) for row in rows for size in row.right[-1:]]
    told = [(n, seconds) for n, seconds in last if seconds is not None]
    if not told:
        return
    each = min(seconds / n for n, seconds in told) / 3
    ends = [max(n for n, _ in told) / 1000, max(n for n, _ in told)]
    axes.plot(
        ends,
        [each * n for n in ends],
        color=style.FAINT,
        linestyle=(0, (4, 2)),
        linewidth=1,
        zorder=0,
    )
    axes.annotate(
        "slope 1",
        (ends[0], each * ends[0]),
        xytext=(6, -2),
        textcoords="offset points",
        color=style.FAINT,
        fontsize=8.5,
    )


HEADS = ("power of n", "95 %", "growth", "overhead", "leaves it at n", "curve off by")
"""Heads of what is told of a growth."""


def cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]], list[str], list[list[str]]]:
    """Heads and cells of two tables, of time and of memory, the same wherever they are shown."""
    sizes = sorted({size.n for row in rows for size in row.sizes})
    columns = [f"{n:,}" for n in sizes]
    time_heads = [
        "row",
        *columns,
        "ns/observation at its last n",
        *HEADS,
        "wall/CPU",
        "density error",
    ]
    memory_heads = ["row", *columns, "bytes/observation", "power of n", "peak of all", "compile"]
    return (
        time_heads,
        [_time(row, sizes) for row in rows],
        memory_heads,
        [_memory(row, sizes) for row in rows],
    )


def _time(row: Row, sizes: Sequence[int]) -> list[str]:
    by_n = {size.n: size for size in row.sizes}
    last = row.right[-1] if row.right else None
    seconds = last.gradient_s if last else None
    each = number(1e9 * seconds / last.n) if last and seconds is not None else MISSING
    errors = [size.truth.error for size in row.sizes if size.truth.error is not None]
    return [
        row.name,
        *(_shown(by_n.get(n), lambda size: size.gradient_s, "s") for n in sizes),
        each,
        *_growth(row.time),
        number(stretch(last)) if last else MISSING,
        number(max(errors)) if errors else MISSING,
    ]


def _memory(row: Row, sizes: Sequence[int]) -> list[str]:
    by_n = {size.n: size for size in row.sizes}
    held = [size for size in row.right if size.memory is not None]
    each = MISSING
    if len(held) > 1:
        added = (held[-1].memory or 0) - (held[-2].memory or 0)
        each = number(added / (held[-1].n - held[-2].n))
    peaks = [size.peak_memory for size in row.right if size.peak_memory is not None]
    last = row.right[-1] if row.right else None
    return [
        row.name,
        *(_shown(by_n.get(n), lambda size: size.memory, "bytes") for n in sizes),
        each,
        f"{row.memory.power:.2f}" if row.memory else MISSING,
        quantity(max(peaks), "bytes") if peaks else MISSING,
        quantity(last.compile_s if last else None, "s"),
    ]


def _shown(size: Size | None, cost: Cost, unit: str) -> str:
    if size is None:
        return MISSING
    return "wrong" if size.truth.faults else quantity(cost(size), unit)


def _growth(found: Growth | None) -> list[str]:
    if found is None:
        return [MISSING] * len(HEADS)
    told = f"{found.low:.3f} to {found.high:.3f}" if math.isfinite(found.high) else MISSING
    return [
        f"{found.power:.3f}",
        told,
        found.shape,
        quantity(found.overhead, "s"),
        number(float(f"{found.leaves:.2g}")),
        f"{100 * found.off:.0f} %",
    ]


def stretch(size: Size) -> float | None:
    """Wall clock by CPU seconds: 1 where the process had its core to itself."""
    if size.cpu is None or size.wall is None:
        return None
    return float(sorted(size.wall / size.cpu)[len(size.cpu) // 2])


def tables(rows: Sequence[Row]) -> list[Table]:
    """Both tables for a terminal."""
    time_heads, time_rows, memory_heads, memory_rows = cells(rows)
    return [
        _table("CPU time of a gradient evaluation", time_heads, time_rows),
        _table("Memory of a gradient evaluation", memory_heads, memory_rows),
    ]


def _table(title: str, heads: Sequence[str], body: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    for line in body:
        table.add_row(*line)
    return table

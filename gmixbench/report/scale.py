"""Costs as the data grow, drawn and in tables: time and memory of a gradient by observations."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from gmixbench.report import style
from gmixbench.report.numbers import MISSING, number, quantity
from gmixbench.ruler.growth import BAND, CONFIDENCE, LEAST_SIZES
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
"""One of each for a row, so that none is told by its colour alone; beyond them lines are dashed,
and colours have other markers."""

Cost = Callable[[Size], float | None]


def figure(rows: Sequence[Row]) -> Figure:
    """CPU seconds and memory of a gradient by observations, both log-log, a line a row."""
    drawing = style.figure(4.6)
    left, right = drawing.subplots(1, 2)
    _draw(left, rows, lambda size: size.call_s)
    _draw(right, rows, _megabytes)
    style.title(left, "Time of a gradient call")
    left.set_ylabel("CPU seconds")
    style.title(right, "Memory, from before the model is built")
    right.set_ylabel("MB at the peak while evaluating")
    style.plain_ticks(right.yaxis)  # what compiling leaves is most of it: a decade or two
    _guide(left, rows)
    handles, names = left.get_legend_handles_labels()
    drawing.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
    return drawing


def _megabytes(size: Size) -> float | None:
    return size.memory / 1e6 if size.memory and size.memory > 0 else None


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
        "marker": MARKERS[(place + turn) % len(MARKERS)],
        "markersize": 5,
        "linestyle": style.CHAIN_LINES[turn % len(style.CHAIN_LINES)],
    }


def _guide(axes: Axes, rows: Sequence[Row]) -> None:
    # A line of slope 1 a factor of 3 below the cheapest row, so that it crosses none.
    last = [(size.n, size.call_s) for row in rows for size in row.right[-1:]]
    told = [(n, seconds) for n, seconds in last if seconds is not None]
    if not told:
        return
    each = min(seconds / n for n, seconds in told) / 3
    smallest = min(row.right[0].n for row in rows if row.right)
    largest = max(n for n, _ in told)
    ends = [max(smallest, largest / 1000), largest]  # where no row is it would stretch both axes
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


@dataclass(frozen=True)
class Listing:
    """A table's title, the heads of its columns, and its lines of cells."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


GROWN = ("ns per n", "power of n", "growth", "overhead", "up to n", "fit off by")
"""Heads of what is told of the time's growth; the first is at a row's last size."""

LEGEND = (
    "ns per n: nanoseconds an observation at a row's largest size; power of n: that of the curve "
    f"overhead + factor × n^power through its times, with a {100 * CONFIDENCE:.0f} % interval; "
    f"growth: linear where that lies within {BAND:g} of 1, steeper or flatter beyond; up to n: "
    "where the overhead is the larger part; fit off by: how far a size's time is from that curve "
    "at the most"
)
"""What those heads mean."""

PROCESS = ("bytes per n", "power of n", "peak of all", "compile", "wall/CPU", "density error")
"""Heads of what memory grows by, and of the processes that were measured."""


def listings(rows: Sequence[Row]) -> tuple[Listing, ...]:
    """Tables of time, its growth, memory, and the processes, the same wherever they are shown."""
    sizes = sorted({size.n for row in rows for size in row.sizes})
    columns = [f"{n:,}" for n in sizes]

    def by_size(row: Row, cost: Cost, unit: str) -> list[str]:
        by_n = {size.n: size for size in row.sizes}
        return [_shown(by_n.get(n), cost, unit) for n in sizes]

    def listing(title: str, heads: Sequence[str], told: Callable[[Row], list[str]]) -> Listing:
        return Listing(title, ("row", *heads), tuple((row.name, *told(row)) for row in rows))

    return (
        listing(
            "CPU time of a gradient call",
            columns,
            lambda row: by_size(row, lambda size: size.call_s, "s"),
        ),
        listing("How that time grows", GROWN, _grown),
        listing(
            "Memory of a gradient call",
            columns,
            lambda row: by_size(row, lambda size: size.memory, "bytes"),
        ),
        listing("Growth of memory, and the processes", PROCESS, _process),
    )


def remarks(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Rows of whose growth nothing is told, or nothing decided, each with the reason."""
    return [(row.name, f"growth {told}") for row in rows for told in _ungrown(row)]


def _ungrown(row: Row) -> Iterator[str]:
    found, count = row.time, len(row.right)
    if count < LEAST_SIZES:
        were = "size was" if count == 1 else "sizes were"
        yield f"is not told: {count} {were} timed, {LEAST_SIZES} are needed"
    elif found is None:
        yield "is not told: what grows with the data is hidden by what does not; take larger sizes"
    elif found.shape == "undecided":
        yield (
            f"is undecided: the {100 * CONFIDENCE:.0f} % interval of its power, {found.low:.2f} to "
            f"{found.high:.2f}, lies neither within {1 - BAND:g} to {1 + BAND:g} nor beyond; "
            "larger sizes or a quieter machine narrow it"
        )


def _grown(row: Row) -> list[str]:
    last, found = row.right[-1] if row.right else None, row.time
    seconds = last.call_s if last else None
    each = number(1e9 * seconds / last.n) if last and seconds is not None else MISSING
    if found is None:
        return [each, *[MISSING] * (len(GROWN) - 1)]
    interval = f" [{found.low:.2f}, {found.high:.2f}]" if math.isfinite(found.high) else ""
    return [
        each,
        f"{found.power:.2f}{interval}",
        found.shape,
        quantity(found.overhead, "s"),
        number(float(f"{found.leaves:.2g}")),
        f"{100 * found.off:.0f} %",
    ]


def _process(row: Row) -> list[str]:
    held = [size for size in row.right if size.memory is not None]
    each = MISSING
    if len(held) > 1:
        added = (held[-1].memory or 0) - (held[-2].memory or 0)
        each = number(added / (held[-1].n - held[-2].n))
    peaks = [size.peak_memory for size in row.right if size.peak_memory is not None]
    errors = [size.truth.error for size in row.sizes if size.truth.error is not None]
    last = row.right[-1] if row.right else None
    return [
        each,
        f"{row.memory.power:.2f}" if row.memory else MISSING,
        quantity(max(peaks), "bytes") if peaks else MISSING,
        quantity(last.compile_s if last else None, "s"),
        number(stretch(last)) if last else MISSING,
        number(max(errors)) if errors else MISSING,
    ]


def _shown(size: Size | None, cost: Cost, unit: str) -> str:
    if size is None:
        return MISSING
    return "wrong" if size.truth.faults else quantity(cost(size), unit)


def stretch(size: Size) -> float | None:
    """Wall clock by CPU seconds: 1 where the process had its core to itself."""
    if size.cpu is None or size.wall is None:
        return None
    return float(sorted(size.wall / size.cpu)[len(size.cpu) // 2])


def tables(rows: Sequence[Row]) -> list[Table]:
    """All listings for a terminal."""
    return [_table(each) for each in listings(rows)]


def _table(listing: Listing) -> Table:
    table = Table(
        title=listing.title,
        title_justify="left",
        box=None,
        padding=(0, 0, 0, 1),
        header_style="bold",
    )
    row, *heads = listing.heads
    table.add_column(row, no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", overflow="fold")
    for line in listing.lines:
        table.add_row(*line)
    return table

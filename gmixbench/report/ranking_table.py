"""The table of a ranking, for the terminal, the page and Markdown: its rows, the fastest first."""

import math
from dataclasses import dataclass
from textwrap import fill

from rich.table import Table

from gmixbench.report import markdown
from gmixbench.report.numbers import MISSING, quantity
from gmixbench.ruler.ranking import CONFIDENCE, Estimate, Ranking, Row

HEADS = {
    "ess_per_second": "ESS/s",
    "interval": f"{100 * CONFIDENCE:.0f} %",
    "time_to_ess_1000": "time to ESS 1000",
    "ess_per_gradient": "ESS per gradient",
    "seconds_per_gradient": "time per gradient",
    "compile_s": "compile",
    "warmup_s": "warm-up",
}
"""Heads of the columns by metric; the interval is that of ESS/s."""

NARROW = 8
"""Characters of a head's longest word: in a terminal a head has a line for each such piece."""


@dataclass(frozen=True)
class Line:
    """A row of the table, whose cells are as `HEADS`, and what was left out of it, if anything."""

    name: str
    processes: int
    cells: tuple[str, ...]
    note: str = ""


def lines(found: Ranking) -> tuple[Line, ...]:
    """Lines of the rows of a ranking; what no sampler can pass is called a limit."""
    return tuple(
        Line(
            f"{row.name} (limit)" if row in found.limits else row.name,
            row.processes,
            _cells(row),
            row.note,
        )
        for row in found.rows
    )


def _cells(row: Row) -> tuple[str, ...]:
    def told(metric: str, unit: str) -> str:
        found = row.estimates.get(metric)
        return quantity(found.middle if found else None, unit)

    return (
        told("ess_per_second", ""),
        interval(row.estimates.get("ess_per_second")),
        told("time_to_ess_1000", "s"),
        told("ess_per_gradient", ""),
        told("seconds_per_gradient", "s"),
        told("compile_s", "s"),
        told("warmup_s", "s"),
    )


def interval(found: Estimate | None) -> str:
    """Half of an interval as a share of its middle, or as a factor where it is wide."""
    if found is None or not math.isfinite(found.high):
        return MISSING
    factor = found.high / found.middle
    if factor < 1.5:
        return f"±{100 * (factor - 1):.0f} %"
    return f"×÷ {factor:.{0 if factor >= 10 else 1}f}"


def for_terminal(title: str, found: Ranking) -> Table:
    """Table for a terminal."""
    table = Table(
        title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), header_style="bold"
    )
    table.add_column(overflow="fold")  # where room is short names have two lines, numbers one
    for head in HEADS.values():
        table.add_column(fill(head, NARROW), justify="right", no_wrap=True)
    for line in lines(found):
        table.add_row(line.name, *line.cells)
    return table


def as_markdown(found: Ranking) -> str:
    """Table in Markdown, and below it what was left out of a row, and what has no rank."""
    heads = ["", "processes", *HEADS.values()]
    body = [markdown.row([line.name, str(line.processes), *line.cells]) for line in lines(found)]
    told = [(row.name, row.note) for row in found.rows if row.note]
    told += [(each.name, f"no rank, {each.reason}") for each in found.left]
    left = [f"- {markdown.text(name)}: {markdown.text(words)}" for name, words in told]
    table = "\n".join([markdown.row(heads), "|" + "---|" * len(heads), *body])
    return "\n".join([table, *(["", *left] if left else [])]) + "\n"

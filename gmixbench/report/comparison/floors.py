"""What a machine's noise hides: the smallest change it could tell."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from gmixbench.report.comparison.tables import plain
from gmixbench.report.verdicts import band


def floors_table(rows: Sequence[tuple[str, str, float]]) -> Table:
    """A row for each task and metric, with the smallest detectable change.

    Parameters
    ----------
    rows : task, metric, and the change: a share for a ratio, else in the metric's unit
    """
    table = plain("the machine's own noise")
    table.add_column("task", overflow="fold")
    table.add_column("metric", no_wrap=True)
    table.add_column("smallest detectable change", justify="right", no_wrap=True)
    for task, metric, smallest in rows:
        table.add_row(escape(task), metric, band(metric, smallest))
    return table

"""What a machine's noise hides, as a table."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from gmixbench.report.comparison.tables import plain
from gmixbench.report.verdicts import band
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.tolerances import TOLERANCES


def floors_table(floors: Sequence[Floor], share: float) -> Table:
    """A row for each task and metric, with the narrowest band, and what is found beyond a band.

    Parameters
    ----------
    share : band of what depends on the machine; of all else it is the metric's own
    """
    table = plain("the machine's own noise")
    table.add_column("task", overflow="fold")
    table.add_column("metric", no_wrap=True)
    table.add_column("narrowest band", justify="right", no_wrap=True)
    table.add_column("band", justify="right", no_wrap=True)
    table.add_column("detected in half", justify="right", no_wrap=True)
    for each in floors:
        tolerance = TOLERANCES[each.metric]
        width = share if tolerance.machine else tolerance.band
        found = float(f"{each.beyond(width):.2g}")
        shown = (band(each.metric, size) for size in (float(f"{each.change:.2g}"), width, found))
        table.add_row(escape(each.task), each.metric, *shown)
    return table

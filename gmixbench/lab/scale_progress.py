"""What `scale` is doing, and how long it will take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gmixbench.lab.execute import Watch
from gmixbench.lab.scale import Told
from gmixbench.record import Cost, Failure
from gmixbench.ruler.scale import observations, row_of
from gmixbench.spec import Case


@contextmanager
def progress(
    console: Console, budget: float
) -> Iterator[tuple[Told, Watch, Callable[[Cost | Failure], None]]]:
    """Bar over a row's budget; gives what is told a case that begins, its seconds, and its end."""
    bar = Progress(
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )
    before = [0.0]
    with bar:
        task = bar.add_task("beginning", total=budget)

        def told(case: Case, needed: float, spent: float) -> None:
            before[0] = spent
            about = f", about {needed:.0f} s" if needed else ""
            bar.update(task, completed=spent, description=f"{_name(case)}{about}")

        def watch(seconds: float) -> None:
            bar.update(task, completed=before[0] + seconds)

        def done(record: Cost | Failure) -> None:
            if isinstance(record, Failure):
                what = f"{record.kind}: {record.message}"
            else:
                what = f"{record.timing.total_s or 0.0:.0f} s"
            bar.console.print(
                f"{_name(record.case)}: {what}", soft_wrap=True, markup=False, highlight=False
            )

        yield told, watch, done


def _name(case: Case) -> str:
    return f"{row_of(case)}, n = {observations(case):,}"

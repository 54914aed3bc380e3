"""What a comparison is doing, and how long it will take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gmixbench.lab.comparison.blocks import next_block, order, spent
from gmixbench.ruler.comparison.looks import following
from gmixbench.ruler.comparison.nouns import Comparison
from gmixbench.ruler.comparison.outlook import forecast


@contextmanager
def progress(console: Console, budget: float) -> Iterator[Callable[[Comparison], None]]:
    """Bar over the budget; gives what is to be told of each process that is done."""
    bar = Progress(
        TextColumn("{task.completed:.0f} % of the budget"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("pilot: compiling, and how many draws it takes", total=100.0)

        def tell(comparison: Comparison) -> None:
            share = min(100.0, 100.0 * spent(comparison) / budget)
            bar.update(task, completed=share, description=_words(comparison))

        yield tell


def _words(comparison: Comparison) -> str:
    block = next_block(comparison)
    done = sum(each.block == block for each in comparison.readings)
    look = following(block)
    minutes = forecast(comparison, look - block) / 60
    where = f"block {block + 1}, process {done + 1} of {len(order(comparison, block))}"
    return f"{where}; next look after block {look}, in {minutes:.0f} min"

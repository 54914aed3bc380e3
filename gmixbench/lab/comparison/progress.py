"""What a comparison is doing, and how long it will take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gmixbench.lab.comparison.blocks import left, next_block, order, spent
from gmixbench.ruler.comparison.looks import following
from gmixbench.ruler.comparison.nouns import PILOT, Comparison
from gmixbench.ruler.comparison.outlook import forecast

EVERY = 60.0
"""Seconds between lines where there is no terminal."""

Tell = Callable[[Comparison], None]
"""Is told of each process that is done."""


@contextmanager
def progress(console: Console, comparison: Comparison, budget: float) -> Iterator[Tell]:
    """What is told each process that is done: a bar over the budget, or lines in a log.

    Parameters
    ----------
    comparison : as it is before
    budget : seconds for all blocks
    """
    if console.is_terminal:
        with _bar(console, comparison, budget) as tell:
            yield tell
    else:
        yield lines(console, comparison, budget)


@contextmanager
def _bar(console: Console, comparison: Comparison, budget: float) -> Iterator[Tell]:
    bar = Progress(
        TextColumn("{task.completed:.0f} % of the budget"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task(_doing(comparison), total=100.0)

        def tell(comparison: Comparison) -> None:
            share = _share(comparison, budget)
            bar.update(task, completed=share, description=_doing(comparison))

        yield tell


def lines(
    console: Console,
    comparison: Comparison,
    budget: float,
    clock: Callable[[], float] = time.monotonic,
) -> Tell:
    """Lines for a log: where it begins, what the pilot makes expect, then one a minute at most."""
    before, printed = [comparison], [clock()]

    def line(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False, highlight=False)
        printed[0] = clock()

    def tell(comparison: Comparison) -> None:
        piloted = comparison.tasks != before[0].tasks  # now it is known how long they are to be
        before[0] = comparison
        if piloted or clock() - printed[0] >= EVERY:
            share = f"{_share(comparison, budget):.0f} % of the budget"
            line("; ".join([_doing(comparison), *_taken(comparison), share]))

    first, last = comparison.variants[0].name, comparison.variants[-1].name
    line(f"{first} against {last}: {_doing(comparison)}")
    return tell


def _share(comparison: Comparison, budget: float) -> float:
    """Per cent of the budget that are spent."""
    return min(100.0, 100.0 * spent(comparison) / budget)


def _doing(comparison: Comparison) -> str:
    if left(comparison, PILOT):
        return f"pilot, {_process(comparison, PILOT)}: compiling, and how many draws it takes"
    block = next_block(comparison)
    look = following(block)
    away = _duration(forecast(comparison, look - block))
    where = f"block {block + 1}, {_process(comparison, block)}"
    return f"{where}; next look after block {look}, in {away}"


def _process(comparison: Comparison, block: int) -> str:
    done = sum(each.block == block for each in comparison.readings)
    return f"process {done + 1} of {len(order(comparison, block))}"


def _taken(comparison: Comparison) -> Iterator[str]:
    """What a block takes of each side's time, at the median so far."""
    times: dict[int, dict[int, float]] = {}
    for each in comparison.whole_blocks:
        blocks = times.setdefault(each.variant, {})
        blocks[each.block] = blocks.get(each.block, 0.0) + each.seconds
    if times:
        sides = [
            f"{comparison.variants[variant].name} {median(blocks.values()):.1f} s"
            for variant, blocks in sorted(times.items())
        ]
        yield f"a block takes {', '.join(sides)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

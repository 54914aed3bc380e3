"""What a comparison says while it is at work, where there is no terminal."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from itertools import count
from typing import Any

import pytest
from rich.console import Console

from gmixbench.lab.comparison.progress import lines, progress
from gmixbench.ruler.comparison.nouns import PILOT, Comparison


@pytest.fixture
def steps(made_values: Callable[..., Any], comparison_of: Callable[..., Any]) -> list[Comparison]:
    """A comparison as it is told, process by process: pilot, longer tasks, and two blocks."""
    whole = comparison_of({"ordered nuts": made_values({}, blocks=3)})
    (task,) = whole.tasks
    pilot = tuple(replace(each, block=PILOT) for each in whole.readings[:2])
    rest = whole.readings[2:]
    rest = tuple(replace(each, block=each.block - 1) for each in rest)
    long = replace(task, settings=replace(task.settings, draws=9000))
    begun = [replace(whole, readings=pilot[:count]) for count in range(3)]
    known = replace(whole, tasks=(long,), readings=pilot)
    return [*begun, known, *(replace(known, readings=pilot + rest[:k]) for k in (1, 2, 3, 4))]


def told(steps: list[Comparison], apart: float) -> list[str]:
    """Lines of processes that end so many seconds apart."""
    console = Console(file=StringIO(), width=40)
    moments = count(0.0, apart)
    now = [next(moments)]
    tell = lines(console, steps[0], 100.0, clock=lambda: now[0])
    for step in steps[1:]:
        now[0] = next(moments)
        tell(step)
    return printed(console)


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_slow_processes_have_a_line_each(steps: list[Comparison]) -> None:
    said = told(steps, 61.0)
    assert len(said) == len(steps)
    assert said[0] == "A against B: pilot, process 1 of 2: compiling, and how many draws it takes"
    assert said[1].startswith("pilot, process 2 of 2: ")
    assert said[-1] == (
        "block 3, process 1 of 2; next look after block 13, in 2 min; "
        "a block takes A 4.3 s, B 4.3 s; 17 % of the budget"
    )


def test_quick_ones_have_one_a_minute_and_one_after_the_pilot(steps: list[Comparison]) -> None:
    first, piloted, last = told(steps, 16.0)  # the last one ends after 112 s, the pilot after 48
    assert first.startswith("A against B: pilot, process 1 of 2: ")
    assert piloted.startswith("block 1, process 1 of 2; ")
    assert last.startswith("block 3, process 1 of 2; ")


def test_what_goes_on_has_no_pilot(steps: list[Comparison]) -> None:
    (only,) = told(steps[5:], 1.0)
    assert only.startswith("A against B: block 2, process 1 of 2; ")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_has_a_bar_and_a_log_has_lines(steps: list[Comparison], terminal: bool) -> None:
    console = Console(file=StringIO(), width=120, force_terminal=terminal)
    with progress(console, steps[0], 100.0) as tell:
        tell(steps[-1])
    text = "\n".join(printed(console))
    assert ("━" in text) == terminal
    assert ("A against B: " in text) != terminal

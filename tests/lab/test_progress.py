"""What a run says while it is at work."""

from io import StringIO

from rich.console import Console

from gmixbench.lab.execute import Done
from gmixbench.lab.progress import progress
from gmixbench.record import Failure


def test_each_case_has_its_line(make_case):
    cases = [make_case("pymc", seed=0), make_case("mine.backend", seed=1, method="advi-matched")]
    console = Console(file=StringIO(), width=40)
    with progress(console, cases) as (watch, done):
        watch(0.0)
        watch(1e6)
        done(Done(cases[0], Failure(cases[0], "crash", "[red]so it was[/]"), 12.3))
        watch(3.0)
        done(Done(cases[1], None, 4.0))
    lines = console.file.getvalue().splitlines()
    assert lines[0] == (
        "[1/2] overlapping ordered pymc nuts seed 0: failed: [red]so it was[/], 12 s"
    )
    assert lines[1] == "[2/2] overlapping ordered mine.backend advi-matched seed 1: done, 4 s"


def test_nothing_left_to_do():
    with progress(Console(file=StringIO()), []):
        pass

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
        "[1/2] overlapping ordered pymc nuts seed 0: "
        "failed: [red]so it was[/], 12 s; under 2 min left"
    )
    assert lines[1] == "[2/2] overlapping ordered mine.backend advi-matched seed 1: done, 4 s"


def test_a_log_is_told_how_long_is_left(make_case):
    cases = [make_case("pymc", seed=seed) for seed in range(3)]
    console = Console(file=StringIO(), width=40)
    with progress(console, cases) as (_, done):
        for case in cases:
            done(Done(case, None, 300.0))
    ends = [line.partition(": ")[2] for line in console.file.getvalue().splitlines()]
    assert ends[:3] == [
        "done, 300 s; about 10 min left",
        "done, 300 s; about 5 min left",
        "done, 300 s",
    ]


def test_nothing_left_to_do():
    with progress(Console(file=StringIO()), []):
        pass

"""What a run is doing, and how long it will take."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gmixbench.lab.execute import Done, Watch
from gmixbench.record import Failure
from gmixbench.spec import HERE, AdviSettings, Case, NutsSettings

START_UP = 10.0
"""Seconds that a case takes besides its draws or steps, for a first guess."""

PACE = {"pymc": 700.0, "pymc3": 700.0, "numpyro": 9000.0}
"""Draws or steps per second, for a first guess of the shares; the clock corrects it."""


@contextmanager
def progress(
    console: Console, cases: Sequence[Case]
) -> Iterator[tuple[Watch, Callable[[Done], None]]]:
    """Bar over all cases with the time left; gives (watch, done) to tell it what happens."""
    bar = Progress(
        TextColumn("{task.completed:.0f} %"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=3600,
    )
    count = len(cases)
    guesses = [_guess(case) for case in cases]
    total = sum(guesses) or 1.0
    before = [0.0]
    names = [_name(case) for case in cases] + ["done"]
    finished: list[Done] = []
    with bar:
        task = bar.add_task(names[0], total=100.0)

        def watch(seconds: float) -> None:
            guess = guesses[len(finished)]
            share = guess * min(0.95, seconds / guess)
            bar.update(task, completed=100 * (before[0] + share) / total)

        def done(result: Done) -> None:
            before[0] += guesses[len(finished)]
            finished.append(result)
            bar.update(task, completed=100 * before[0] / total, description=names[len(finished)])
            what = "done"
            if isinstance(result.record, Failure):
                what = f"failed: {result.record.message}"
            took = f"{result.seconds:.0f} s"
            if len(finished) < count:
                taken = sum(each.seconds for each in finished)
                took += f"; {_left(taken * (total / before[0] - 1))} left"
            bar.console.print(
                f"[{len(finished)}/{count}] {_name(result.case)}: {what}, {took}",
                soft_wrap=True,
                markup=False,
                highlight=False,
            )

        yield watch, done


def _left(seconds: float) -> str:
    """In a log there is no bar that tells it."""
    return f"about {seconds / 60:.0f} min" if seconds >= 120 else "under 2 min"


def _guess(case: Case) -> float:
    settings = case.settings
    if isinstance(settings, NutsSettings):
        count = settings.chains * (settings.warmup + settings.draws)
    elif isinstance(settings, AdviSettings):
        count = settings.steps
    else:
        count = 0
    return START_UP + count / PACE.get(case.backend, 1e6)


def _name(case: Case) -> str:
    what = case.row if case.stack == HERE else case.stack
    return f"{case.dataset} {case.model.name} {what} {case.method} seed {case.seed}"

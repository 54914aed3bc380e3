"""What the commands share that compare: how they ask, measure, and show what they are doing."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gmixbench.cli.exits import INTERRUPTED, UsageError
from gmixbench.cli.options import console
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.spec import ALL_MODELS, COMPARE, Case

if TYPE_CHECKING:
    from gmixbench.lab.comparison.sides import Side
    from gmixbench.ruler.comparison.nouns import Comparison, Outcome, Task
    from gmixbench.ruler.score import Posterior

Say = Callable[[str], None]

METRICS = ", ".join(dict.fromkeys(name for names in COMPARED.values() for name in names))
"""As a help names them."""

FIRST_SEED = 1  # PyMC up to 4 refuses 0 for ADVI


@contextmanager
def preparing(what: str) -> Iterator[Say]:
    """Show what is prepared, and give what is told each step: a spinner, or lines in a log."""
    if console.is_terminal:
        with console.status(what) as status:
            yield status.update
    else:
        yield tell


def tell(text: str) -> None:
    """Print a line as it is."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def tasks_of(models: Sequence[str], methods: Sequence[str]) -> "tuple[Task, ...]":
    """Every model by every method, as the profile of comparisons has it."""
    from gmixbench.ruler.comparison.nouns import Task

    return tuple(
        Task(ALL_MODELS[model], method, COMPARE.settings(method))
        for model in models
        for method in methods
    )


def posterior_of(tasks: "Sequence[Task]", dataset: str) -> "Posterior":
    """What judges all tasks on a data set of the package: one posterior."""
    from gmixbench.lab import datasets, references

    models = [task.model for task in tasks]
    if len({Case(dataset, model, "", "nuts").posterior for model in models}) > 1:
        raise UsageError("a general mixture has a posterior of its own: compare it by itself")
    return references.posterior_of(datasets.load(dataset).x, models[0])


def asked(
    sides: "Sequence[Side]",
    tasks: "tuple[Task, ...]",
    dataset: str,
    *,
    band: float,
    ess_band: float,
    alpha: float,
    metrics: Sequence[str] = (),
    seed: int = FIRST_SEED,
) -> "Comparison":
    """Comparison of sides before anything is measured.

    Parameters
    ----------
    metrics : that must have an answer; none leaves it to those that explain the others
    """
    from gmixbench.lab.history import machine
    from gmixbench.ruler.comparison.nouns import Comparison

    variants = tuple(each.variant for each in sides)
    return Comparison(
        variants,
        tasks,
        dataset,
        band,
        alpha,
        seed,
        machine(),
        ess_band=ess_band,
        metrics=tuple(metrics),
    )


def metric_of(name: str, methods: Sequence[str], *besides: str) -> str:
    """Name of a metric that is compared of one of the methods, or of what is asked besides.

    Raises
    ------
    gmixbench.cli.exits.UsageError
        It is none.
    """
    kinds = ["nuts" if method == "nuts" else "advi" for method in methods]
    known = [*dict.fromkeys(each for kind in kinds for each in COMPARED[kind]), *besides]
    if name not in known:
        raise UsageError(
            f"unknown metric {name!r} of {', '.join(methods)}: choose from {', '.join(known)}"
        )
    return name


def measured(
    folder: Path,
    comparison: "Comparison",
    sides: "Sequence[Side]",
    *,
    budget: float,
    timeout: float,
    fresh: bool,
    done: "Callable[[Outcome], bool]" = lambda outcome: outcome.answered,
) -> "Outcome":
    """Outcome of a comparison, measured now as far as its folder does not hold it.

    Ctrl-C ends with its exit code; what was measured stays.
    """
    from gmixbench.lab import claim
    from gmixbench.lab.comparison import blocks
    from gmixbench.lab.comparison import folder as on_disk
    from gmixbench.lab.comparison.progress import progress
    from gmixbench.lab.comparison.starts import starts
    from gmixbench.ruler.comparison.judge import judge

    with claim.locked(folder, claim.COMPARISON):
        if fresh:
            on_disk.clear(folder)
        now = on_disk.resumed(folder, comparison)
        if now.readings:
            typer.echo(f"{folder} holds {_many(judge(now).blocks, 'block', 'blocks')} already")
        exact = posterior_of(comparison.tasks, comparison.dataset)
        try:
            started = starts(sides, folder, say=typer.echo)
            with progress(console, now, budget) as at_work:
                for now in blocks.measure(  # noqa: B020  # each holds all before it
                    folder, now, started, exact, budget=budget, timeout=timeout, done=done
                ):
                    at_work(now)
        except KeyboardInterrupt:
            typer.echo(f"stopped; {folder} holds what was measured: call it again to go on")
            raise typer.Exit(INTERRUPTED) from None
        outcome = judge(now)
        on_disk.write(folder, now, outcome)
    failed = sum(bool(each.failure) for each in now.readings if each.variant in now.ends)
    if failed:
        typer.echo(
            f"{_many(failed, 'process', 'processes')} failed: call it again to measure that again; "
            "where the time was short, with a longer --timeout"
        )
    if outcome.valid and not done(outcome):
        _tell_what_would_do(outcome)
    return outcome


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _tell_what_would_do(outcome: "Outcome") -> None:
    from gmixbench.lab.comparison.blocks import spent
    from gmixbench.ruler.comparison.looks import following
    from gmixbench.ruler.comparison.outlook import forecast, outlook

    found = outlook(outcome)
    if found.hopeless and not found.open:
        return  # a longer budget would not do; what may is said with the verdict
    look = following(outcome.blocks)
    away = forecast(outcome.comparison, look - outcome.blocks)
    # A fifth more: blocks don't all take the same time.
    needed = math.ceil(1.2 * (spent(outcome.comparison) + away))
    typer.echo(
        f"stopped at block {outcome.blocks}: the next look, after block {look}, is {away:.0f} s "
        f"away, more than is left: --budget {needed}s goes on"
    )

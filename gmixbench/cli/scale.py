"""`scale`: what a gradient costs as the data grow."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.exits import INTERRUPTED, NOT_MEASURED, UsageError
from gmixbench.cli.options import (
    ALL,
    DEFAULT_BACKENDS,
    all_of,
    backends_of,
    console,
    left_out_of,
    likelihoods_of,
    seconds_of,
)
from gmixbench.measured.backends import gradient_of, writes
from gmixbench.spec import ALL_MODELS, DISCRETE, LIKELIHOODS, MIXTURE

if TYPE_CHECKING:
    from gmixbench.ruler.scale import Row
    from gmixbench.spec import Case

MOST = 1_000_000

FORMS = tuple(name for name in LIKELIHOODS if name != DISCRETE)
"""Likelihoods that have a gradient of the means alone."""

app = typer.Typer(
    invoke_without_command=True,
    help="Time and memory of a gradient for 100 to a million observations.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `scale` made.")]


@app.callback()
def scale(
    context: typer.Context,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="pymc and numpyro unless given; all that differ; or your own module."),
    ] = None,
    likelihood: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(FORMS)}; {MIXTURE} unless given.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(ALL_MODELS)}; ordered unless given.")
    ] = None,
    most: Annotated[
        int, typer.Option(min=100, max=MOST, help="Largest size, by powers of ten from 100.")
    ] = MOST,
    budget: Annotated[
        str, typer.Option(help="Time of a row's processes, as 90s, 10m or 1h.")
    ] = "10m",
    out: Annotated[Path, typer.Option(help="Folder for what it leaves.")] = Path("results/scale"),
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on where it stopped, or start over.")
    ] = True,
) -> None:
    """Measure gradient calls of each row, a fresh process for each size.

    A row stops where the next size would take longer than is left of its budget. Exits 3 when a
    row was wrong, failed, or stopped.
    """
    if context.invoked_subcommand is not None:
        return
    seconds = seconds_of("--budget", budget)
    forms = likelihoods_of(likelihood)
    if DISCRETE in forms:
        raise UsageError(f"sampled labels have no gradient of the means: {', '.join(FORMS)}")
    models = [ALL_MODELS[name] for name in all_of("model", model or ["ordered"], ALL_MODELS)]
    named = [name for name in backend or () if name != ALL]
    backends = _different(backends_of(backend), named if backend else DEFAULT_BACKENDS)
    for line in left_out_of(backends, forms, named, writes):
        typer.echo(line)
    from gmixbench.lab import claim, store
    from gmixbench.lab import scale as lab
    from gmixbench.lab.environment import describe

    cases = lab.plan(models, backends, forms, lab.sizes_up_to(most))
    plan = store.Plan(store.SCALE, tuple(cases), describe())
    with claim.locked(out, claim.RUN):
        store.prepare(out, plan, [], fresh=not resume)
        _measure(out, cases, seconds)
        rows = _report(out)
    raise typer.Exit(NOT_MEASURED if any(row.end for row in rows) else 0)


@app.command()
def report(folder: Folder) -> None:
    """Hold a folder's records against the written density and draw them again, from disk."""
    _report(folder)


def _different(backends: Sequence[str], named: Sequence[str]) -> list[str]:
    """Backends less those that have another's gradient, unless they are called by their names."""
    left: dict[str, list[str]] = {}
    for backend in backends:
        if backend not in named and gradient_of(backend) != backend:
            left.setdefault(gradient_of(backend), []).append(backend)
    for backend, others in left.items():
        typer.echo(f"{', '.join(others)}: the gradient of {backend}, left out")
    gone = {name for others in left.values() for name in others}
    return [name for name in backends if name not in gone]


def _measure(out: Path, cases: "Sequence[Case]", budget: float) -> None:
    from gmixbench.lab import scale as lab
    from gmixbench.lab.scale_progress import progress

    try:
        with progress(console, budget) as (told, watch, done):
            for record in lab.measure(
                cases, out, budget=budget, run=lab.here(out, watch), told=told
            ):
                done(record)
    except KeyboardInterrupt:
        typer.echo(f"stopped; {out} holds what was measured: call it again to go on")
        raise typer.Exit(INTERRUPTED) from None


def _report(out: Path) -> "tuple[Row, ...]":
    from gmixbench.lab import scale as lab
    from gmixbench.lab import store
    from gmixbench.report.scale import LEGEND, remarks, tables
    from gmixbench.report.scale_page import write_scale

    plan = store.scale_plan_of(out)
    with console.status("holding what was timed against the written density"):
        rows = lab.rows(out, plan.cases)
    with console.status("drawing the page"):
        path = write_scale(out, rows, plan.environment)
    for table in tables(rows):
        console.print(table)
        console.print()
    ends = [(row.name, row.end) for row in rows if row.end]
    for name, told in (*ends, *remarks(rows)):
        console.print(f"{name}: {told}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"[dim]{LEGEND}[/]", soft_wrap=True, highlight=False)
    typer.echo(f"scale: {path}")
    return rows

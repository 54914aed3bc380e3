"""`baseline accept`: from now on, judge by this."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gmixbench.cli.exits import NOT_MEASURED, UsageError

app = typer.Typer(no_args_is_help=True, help="What the gate judges by.")


@app.callback()
def _baseline() -> None:
    # With a single command typer would leave its name out.
    pass


@app.command()
def accept(
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="Results of any kind that `gate` reads.")
    ],
    to: Annotated[Path, typer.Option(metavar="FILE", help="Baseline to write, or to replace.")],
    reason: Annotated[str, typer.Option(help="Why this is right, for who reads it next year.")],
) -> None:
    """Write results as a new baseline, with a reason, the date, and what it replaced.

    Exits 3, and writes nothing, when a case that must be right is not.
    """
    if not reason.strip():
        raise UsageError("--reason is empty: say why the new baseline is right")
    from gmixbench.lab.baseline import write_baseline
    from gmixbench.lab.gate_files import read_side
    from gmixbench.ruler.gate import unfit
    from gmixbench.ruler.sides import label

    side = read_side(new)
    faults = unfit(side)
    for fault in faults:
        typer.echo(f"{label(fault.key)}: {fault.message}", err=True)
    if faults or not side.cases:
        typer.echo(f"{new} is no baseline, or holds no result: nothing is written", err=True)
        raise typer.Exit(NOT_MEASURED)
    write_baseline(to, side, reason.strip(), date.today())  # noqa: DTZ011  # the user's own day
    typer.echo(f"{len(side.cases)} cases: {to}")

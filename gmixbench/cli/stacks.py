"""`stacks`: lock, build and look after library versions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.exits import NOT_MEASURED, WRONG_USE, UsageError
from gmixbench.cli.options import Locks, console

if TYPE_CHECKING:
    from gmixbench.lab.stacks import Stack, StackError

app = typer.Typer(
    no_args_is_help=True,
    help="Lock, build and look after stacks: library versions with all they need.",
)


@app.command("list")
def list_(locks: Locks = None) -> None:
    """Stacks by library and date, and the disk that their environments use.

    `own` is what removing that environment alone would free: uv links files from its cache.
    """
    from gmixbench.lab import building
    from gmixbench.lab.stacks import damaged, folder, stacks
    from gmixbench.report.stacks_table import Listed, engine, megabytes, stacks_table

    where = folder(locks)
    uses = {place: building.disk_use(place) for place in building.environments()}
    rows = []
    for stack in stacks(where):
        use = uses.get(building.environment(stack)) if building.built(stack) else None
        rows.append(
            Listed(
                stack.name,
                stack.released,
                stack.python,
                stack.cutoff,
                engine(stack.packages),
                use.total if use else None,
                use.own if use else None,
            )
        )
    errors = damaged(where)
    if not rows and not errors:
        raise UsageError(f"no lock files in {where}: make one with `gmixbench stacks lock`")
    console.print(stacks_table(rows))
    _complain(errors)
    if uses:
        used = megabytes(building.together(uses.values()))
        typer.echo(
            f"\n{len(uses)} environments in {building.cache()} use {used}, shared files counted "
            "once; `gmixbench stacks remove` frees what uv's cache does not share."
        )
    if errors:
        raise typer.Exit(NOT_MEASURED if rows else WRONG_USE)


@app.command()
def lock(
    name: Annotated[str, typer.Argument(help="Of the stack and its file, such as pymc-v5.16.2.")],
    requirement: Annotated[
        list[str],
        typer.Argument(
            help="A version (pymc==5.16.2), a wheel, a checkout, or git+https://...@rev."
        ),
    ],
    cutoff: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Nothing that came out later is considered; 21 days after the release.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(metavar="X.Y", help="The newest of its time that is here and resolves."),
    ] = None,
    exclude_newer_package: Annotated[
        list[str] | None,
        typer.Option(metavar="PACKAGE=DATE", help="A cut-off of that package's own."),
    ] = None,
    locks: Locks = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a lock of that name.")] = False,
) -> None:
    """Make a lock file: every package pinned and hashed, as of a day in the past."""
    from gmixbench.lab import locking
    from gmixbench.lab.stacks import folder

    where = folder(locks)
    if (where / f"{name}.txt").exists() and not force:
        raise UsageError(f"{where} has a stack {name}: give another name, or --force to replace it")
    later = {}
    for each in exclude_newer_package or ():
        package, equals, date = each.partition("=")
        if not (package and equals):
            raise UsageError(f"--exclude-newer-package {each}: PACKAGE=DATE is wanted")
        later[package] = date
    stack = locking.lock(name, requirement, cutoff=cutoff, python=python, later=later, say=_say)
    path = locking.write(stack, where)
    typer.echo(
        f"{path}: {len(stack.packages)} packages on Python {stack.python} as of {stack.cutoff}"
    )


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All.")] = None,
    locks: Locks = None,
) -> None:
    """Build environments that are not there, or damaged; print the path of each interpreter.

    One that can't be had is told in one line, and the others go on; exits 3 then.
    """
    from gmixbench.lab import building
    from gmixbench.lab.stacks import StackError

    chosen, errors = _chosen(names, locks)
    for stack in chosen:
        try:
            python = building.build(stack, say=_say)
        except StackError as error:
            errors.append(error)
        else:
            typer.echo(f"{stack.name}  {python}")
    _complain(errors)
    if errors:
        raise typer.Exit(NOT_MEASURED if chosen else WRONG_USE)


@app.command()
def remove(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every environment in the cache.")] = False,
) -> None:
    """Remove environments from the cache; lock files stay."""
    from gmixbench.lab import building

    if bool(names) == every:
        raise UsageError("name the stacks to remove, or say --all")
    for name in names or ():
        if not building.environments([name]):
            raise UsageError(f"{name}: no environment of that stack is in {building.cache()}")
    gone = building.remove(names or None, say=_say)
    typer.echo(f"{gone} environment{'' if gone == 1 else 's'} removed")


@app.command()
def doctor(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All.")] = None,
    locks: Locks = None,
) -> None:
    """What is missing for which stack, and how to get it; exits 3 when something is."""
    from gmixbench.lab.doctor import diagnose

    chosen, errors = _chosen(names, locks)
    ill = len(errors)
    for each in diagnose(chosen):
        ill += bool(each.lacks)
        state = "built" if each.built else f"can be built: gmixbench stacks build {each.stack}"
        typer.echo(f"{each.stack}: {'; '.join(each.lacks) or state}")
    _complain(errors)
    if ill:
        raise typer.Exit(NOT_MEASURED if chosen else WRONG_USE)


def _chosen(
    names: list[str] | None, locks: Path | None
) -> "tuple[Sequence[Stack], list[StackError]]":
    """The stacks that are named, or all; and of each whose lock can't be had the reason."""
    from gmixbench.lab.stacks import StackError, damaged, find, folder, lock_files, stacks

    where = folder(locks)
    if not names:
        if not lock_files(where):
            raise UsageError(f"no lock files in {where}: make one with `gmixbench stacks lock`")
        return stacks(where), [*damaged(where)]
    found: list[Stack] = []
    errors: list[StackError] = []
    for name in dict.fromkeys(names):
        try:
            found.append(find(name, where))
        except StackError as error:
            errors.append(error)
    return found, errors


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _complain(errors: "Sequence[StackError]") -> None:
    for error in errors:
        typer.echo(f"gmixbench: {error}", err=True)

"""The command line, and what becomes of errors that it can explain.

Rooms that load NumPy, SciPy, ArviZ or matplotlib are imported inside the commands that need them,
so that `--help` and `list` answer at once.
"""

import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from gmixbench import __version__
from gmixbench.cli import (
    baseline,
    bisect,
    compare,
    gate,
    history,
    noise,
    reference,
    run,
    scale,
    show,
    stacks,
)
from gmixbench.cli.exits import OUR_FAULT, exit_code_of, one_line

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Benchmarks of two Gaussian mixture models, judged against their exact posterior.",
)
app.command()(run.run)
app.command()(show.exact)
app.command()(reference.reference)
app.command()(run.report)
app.command()(run.score)
app.command()(run.ranking)
app.command("list")(show.list_)
app.command()(compare.compare)
app.command()(noise.noise)
app.command()(bisect.bisect)
app.command()(gate.gate)
app.add_typer(baseline.app, name="baseline")
app.add_typer(stacks.app, name="stacks")
app.add_typer(history.app, name="history")
app.add_typer(scale.app, name="scale")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gmixbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: bad input ends in one line and an exit code, never in a traceback.

    An error that is ours ends in one, and in an exit code that says nothing else.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(prog_name="gmixbench")
    except Exception as error:  # noqa: BLE001  # none may end in Python's own exit code
        code = exit_code_of(error)
        if code is None:
            traceback.print_exc()
            sys.exit(OUR_FAULT)
        print(f"gmixbench: {one_line(error)}", file=sys.stderr)  # noqa: T201  # plain, not wrapped
        sys.exit(code)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt

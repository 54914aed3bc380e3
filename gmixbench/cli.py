"""The command line: run, exact, report, score, list.

Rooms that load NumPy, SciPy, ArviZ or matplotlib are imported inside the commands that need them,
so that `--help` and `list` answer at once.
"""

import json
import math
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from gmixbench import __version__
from gmixbench.lab.plan import plan_cases
from gmixbench.measured.backends import BACKENDS
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import (
    DATASETS,
    DEFAULT_DATASET,
    METHODS,
    MODELS,
    PROFILES,
    STARTS,
    Case,
    Dataset,
    Mixture,
)

if TYPE_CHECKING:
    from gmixbench.lab import store
    from gmixbench.lab.results import Results
    from gmixbench.truth.exact import Exact

WRONG_USE, NOT_MEASURED, INTERRUPTED = 2, 3, 130
"""Exit codes besides 0: bad input, something invalid or not measured, Ctrl-C."""

DEFAULT_BACKENDS = ("pymc", "numpyro")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Benchmarks of two Gaussian mixture models, judged against their exact posterior.",
)
console = Console()


class UsageError(ValueError):
    """An option that makes no sense; the message says what is wrong and what to do."""


Data = Annotated[Path | None, typer.Option(help="CSV with one column of observations.")]
Sigma = Annotated[float, typer.Option(help="Standard deviation of both components.")]
PriorScale = Annotated[
    float, typer.Option(help="Standard deviation of the means' normal prior, whose mean is 0.")
]
Out = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run` made.")]


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


@app.command()
def run(
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "standard",
    model: Annotated[list[str] | None, typer.Option(help="Both unless given.")] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="pymc and numpyro unless given; exact; or a module of your own."),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help=f"All of {', '.join(METHODS)} unless given.")
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(DATASETS)}; {DEFAULT_DATASET} unless given."),
    ] = None,
    data: Data = None,
    sigma: Sigma = 1.0,
    prior_scale: PriorScale = 10.0,
    chains: Annotated[int | None, typer.Option(min=1, help="The profile's unless given.")] = None,
    starts: Annotated[str, typer.Option(help=f"One of {', '.join(STARTS)}.")] = STARTS[0],
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="One run each; 0 unless given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what it leaves; results/<time>-<profile>.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on where it stopped, or start over.")
    ] = True,
    timeout: Annotated[float, typer.Option(help="Seconds after which a case is ended.")] = 1800.0,
) -> None:
    """Measure cases, each in a fresh process, and judge them against the exact posterior.

    Exits 0 when all `ordered` and all `advi-matched` cases are valid and none failed, else 3.
    """
    mixture = _mixture(sigma, prior_scale)
    _positive("--timeout", timeout)
    sets = _datasets(dataset, data)
    cases = plan_cases(
        profile=_known("profile", profile, PROFILES),
        models=[_model(name, mixture) for name in _all("model", model, MODELS)],
        backends=_backends(backend),
        methods=_all("method", method, METHODS),
        datasets=[item.name for item in sets],
        chains=chains,
        starts=_known("starts", starts, STARTS),
        seeds=list(dict.fromkeys(seed or [0])),
    )
    from gmixbench.lab import store
    from gmixbench.lab.environment import describe
    from gmixbench.truth.exact import solve

    plan = store.Plan(profile, tuple(cases), describe())
    folder = out or _folder(plan, sets, fresh=not resume)
    with store.locked(folder):
        store.prepare(folder, plan, sets, fresh=not resume)
        with console.status("solving the exact posterior"):
            exacts = {item.name: solve(item.x, mixture) for item in sets}
        _measure(cases, exacts, folder, timeout)
        results = _judge(folder, exacts)
        _report(folder, results)
    _summarize(folder, results)
    raise typer.Exit(_exit_code(results))


@app.command()
def exact(
    dataset: Annotated[
        str | None, typer.Option(help=f"{', '.join(DATASETS)}; {DEFAULT_DATASET} unless given.")
    ] = None,
    data: Data = None,
    sigma: Sigma = 1.0,
    prior_scale: PriorScale = 10.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there.")
    ] = None,
) -> None:
    """Print the exact posterior of a data set under both models."""
    mixture = _mixture(sigma, prior_scale)
    (chosen,) = _datasets([dataset] if dataset else None, data)
    from gmixbench.record import write_bytes
    from gmixbench.truth.exact import solve
    from gmixbench.truth.listing import listing

    with console.status("solving the exact posterior"):
        solved = solve(chosen.x, mixture)
    figures = {name: listing(solved, _model(name, mixture)) for name in MODELS}
    if json_file is not None:
        write_bytes(json_file, (json.dumps(figures, indent=1) + "\n").encode())
    from gmixbench.report.terminal import exact_table

    console.print(exact_table(chosen, mixture, figures))


@app.command()
def report(out: Out) -> None:
    """Draw the report of a folder again, from disk."""
    results = _judge(out)
    typer.echo(f"report: {_report(out, results)}")


@app.command()
def score(out: Out) -> None:
    """Score and judge the runs of a folder again, without sampling.

    Exits as `run` does.
    """
    results = _judge(out)
    _summarize(out, results)
    raise typer.Exit(_exit_code(results))


@app.command("list")
def list_() -> None:
    """Show what can be measured: profiles, data sets, models, methods, backends and metrics."""
    what = Table(title="cases", title_justify="left", box=None, show_header=False)
    for name, values in {
        "--profile": PROFILES,
        "--dataset": DATASETS,
        "--model": MODELS,
        "--backend": BACKENDS,
        "--method": METHODS,
        "--starts": STARTS,
    }.items():
        what.add_row(name, ", ".join(values))
    console.print(what)
    table = Table(title="metrics", title_justify="left", box=None)
    for column in ("name", "unit", "better", "of", "definition"):
        table.add_column(column, no_wrap=column == "name")
    for metric in METRICS.values():
        table.add_row(
            metric.name, metric.unit, metric.better or "–", metric.methods, metric.definition
        )
    console.print(table)


def main() -> None:
    """Entry point: bad input ends in one line and an exit code, never in a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(prog_name="gmixbench")
    except Exception as error:  # those that are not ours to explain are raised again
        code = _exit_code_of(error)
        if code is None:
            raise
        print(f"gmixbench: {_one_line(error)}", file=sys.stderr)  # noqa: T201  # plain, not wrapped
        sys.exit(code)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _exit_code_of(error: Exception) -> int | None:
    """Exit code of an error that its message explains; `None` where it would be a fault of ours."""
    from gmixbench.lab.datasets import DataError
    from gmixbench.lab.store import FolderError
    from gmixbench.record import DamagedRecordError
    from gmixbench.truth.cells import UnreachableError

    if isinstance(error, UsageError | DataError | FolderError | OSError):
        return WRONG_USE
    if isinstance(error, DamagedRecordError | UnreachableError):
        return NOT_MEASURED
    return None


def _one_line(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        # A file stands where a folder is wanted; the system says but that it exists.
        reason = "not a directory" if isinstance(error, FileExistsError) else error.strerror
        text = f"{error.filename}: {reason}" if error.filename else reason
    return " ".join(text.splitlines())


def _mixture(sigma: float, prior_scale: float) -> Mixture:
    _positive("--sigma", sigma)
    _positive("--prior-scale", prior_scale)
    model = MODELS["ordered"]
    return replace(model, sigma=sigma, prior=replace(model.prior, scale=prior_scale))


def _positive(option: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{option} {value:g}: a positive number is wanted")


def _model(name: str, mixture: Mixture) -> Mixture:
    return replace(mixture, name=name, ordered=MODELS[name].ordered)


def _datasets(names: list[str] | None, data: Path | None) -> list[Dataset]:
    from gmixbench.lab import datasets

    if data is None:
        return [datasets.load(name) for name in dict.fromkeys(names or [DEFAULT_DATASET])]
    if names:
        raise UsageError("give --dataset or --data, not both")
    return [datasets.read(data)]


def _known(option: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise UsageError(f"unknown {option} {value!r}: choose from {', '.join(known)}")
    return value


def _all(option: str, values: list[str] | None, known: Iterable[str]) -> list[str]:
    return [_known(option, value, known) for value in dict.fromkeys(values or known)]


def _backends(values: list[str] | None) -> list[str]:
    for value in values or ():
        # A dotted name is a module of the user's own.
        if value not in BACKENDS and "." not in value:
            raise UsageError(f"unknown backend {value!r}: choose from {', '.join(BACKENDS)}")
    return list(dict.fromkeys(values or DEFAULT_BACKENDS))


def _folder(plan: "store.Plan", sets: Sequence[Dataset], *, fresh: bool) -> Path:
    from gmixbench.lab import store

    results = Path("results")
    started = None if fresh else store.unfinished(results, plan, sets)
    return started or results / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{plan.profile}"


def _measure(
    cases: Sequence[Case],
    exacts: "dict[str, Exact]",
    folder: Path,
    timeout: float,
) -> None:
    from gmixbench.lab import store
    from gmixbench.lab.execute import execute
    from gmixbench.lab.progress import progress

    left = store.pending(folder, cases)
    if len(left) < len(cases):
        typer.echo(f"{len(cases) - len(left)} of {len(cases)} cases are in {folder} already")
    try:
        with progress(console, left) as (watch, done):
            for finished in execute(left, exacts, folder, timeout=timeout, watch=watch):
                done(finished)
    except KeyboardInterrupt:
        still = len(store.pending(folder, cases))
        typer.echo(f"stopped with {still} of {len(cases)} cases to go; run it again to go on")
        raise typer.Exit(INTERRUPTED) from None


def _judge(folder: Path, exacts: "dict[str, Exact] | None" = None) -> "Results":
    from gmixbench.lab.results import judge_folder, write_scores

    with console.status("judging against the exact posterior"):
        results = judge_folder(folder, exacts)
        write_scores(folder, results)
    return results


def _report(folder: Path, results: "Results") -> Path:
    from gmixbench.report.page import write_report

    with console.status("drawing the report"):
        return write_report(
            folder, results.judged, results.failures, results.exacts, results.environment
        )


def _summarize(folder: Path, results: "Results") -> None:
    from gmixbench.report.terminal import reasons, tables

    for table in tables(results.judged):
        console.print(table)
    for line in reasons(results.judged, results.failures):
        console.print(line, soft_wrap=True, highlight=False)
    if results.missing:
        typer.echo(f"{len(results.missing)} planned cases have no record: run them to go on")
    if (folder / "report.html").exists():
        typer.echo(f"report: {folder / 'report.html'}")


def _exit_code(results: "Results") -> int:
    needed = [
        judged.verdict.valid
        for judged in results.judged
        if judged.run.case.model.ordered or judged.run.case.method == "advi-matched"
    ]
    unmeasured = results.failures or results.missing or not results.judged
    return NOT_MEASURED if unmeasured or not all(needed) else 0


if __name__ == "__main__":
    main()

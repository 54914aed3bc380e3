"""`history`: when did it get slower, or wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.exits import INTERRUPTED, NOT_MEASURED, UsageError
from gmixbench.cli.options import Locks, all_of, console, one_of, positive
from gmixbench.report.tidy import FORMATS
from gmixbench.spec import DATASETS, DEFAULT_DATASET, METHODS, MODELS, PROFILES

if TYPE_CHECKING:
    from gmixbench.lab.planning import Visit, Wanted
    from gmixbench.lab.stacks import Stack
    from gmixbench.ruler.history import Release, Session

FOLDER = Path("benchmarks") / "history"
"""Where the project's own history stands."""

LIBRARIES = ("pymc", "numpyro")

MEASURING = ("model", "method", "dataset", "rounds", "profile", "retry", "timeout")
"""Options that make no sense where nothing is measured."""

app = typer.Typer(
    invoke_without_command=True,
    help="Measure releases over rounds of fresh processes; chart what changed, and when.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `history` made.")]


@app.callback()
def history(
    context: typer.Context,
    library: Annotated[
        list[str] | None, typer.Option(help=f"{' and '.join(LIBRARIES)} unless given.")
    ] = None,
    stacks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A..B",
            help="From A to B by date of release, both included; A.., ..B, or one name.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "--models", help="Both unless given.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="nuts and advi-matched unless given.")
    ] = None,
    dataset: Annotated[str, typer.Option(help=f"One of {', '.join(DATASETS)}.")] = DEFAULT_DATASET,
    rounds: Annotated[int, typer.Option(min=1, help="Each with a seed of its own.")] = 3,
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "quick",
    out: Annotated[Path, typer.Option(help="Folder of the history.")] = FOLDER,
    locks: Locks = None,
    retry: Annotated[bool, typer.Option("--retry", help="Measure again what failed.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds after which a case is ended.")] = 900.0,
    asv: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Measure nothing: write what is stored as a git repository for asv, "
            "one a library, a commit and a tag a release.",
        ),
    ] = None,
) -> None:
    """Measure what is missing of a history, and chart what changed, and when.

    What is measured already stays: after a new release, or after Ctrl-C, the same command goes on.
    Exits 3 when a release failed or was invalid.
    """
    if context.invoked_subcommand is not None:
        return
    if asv is not None:
        _to_asv(context, out, asv, all_of("library", library, LIBRARIES), stacks, locks)
        return
    positive("--timeout", timeout)
    from gmixbench.lab import claim
    from gmixbench.lab import history as disk
    from gmixbench.lab import planning as lab
    from gmixbench.lab import stacks as lab_stacks

    locks = lab_stacks.folder(locks)
    known = lab_stacks.stacks(locks)
    broken = lab_stacks.damaged(locks)
    for error in broken:
        typer.echo(str(error), err=True)
    lines = all_of("library", library, LIBRARIES)
    wanted = lab.Wanted(
        stacks=_chosen([stack for stack in known if stack.ppl in lines], stacks, locks),
        profile=one_of("profile", profile, PROFILES),
        models=tuple(all_of("model", model, MODELS)),
        methods=tuple(all_of("method", method or list(lab.METHODS), METHODS)),
        dataset=one_of("dataset", dataset, DATASETS),
        rounds=rounds,
    )
    with claim.locked(out, claim.HISTORY):
        disk.clear(out)
        header = disk.read_header(out) or disk.Header(profile, ())
        if header.profile != profile:
            raise UsageError(
                f"{out} holds a history of profile {header.profile}: give that, or another --out"
            )
        named = {stack.name: stack for stack in known}
        absent = lab.missing(out, wanted, retry=retry)
        pythons, reasons = _build({stack.name: stack for stack, _ in absent})
        ready = tuple(stack for stack in wanted.stacks if stack.name not in reasons)
        planned = lab.plan(out, header, replace(wanted, stacks=ready), named, retry=retry)
        if planned is None and reasons and not header.sessions:
            planned = lab.plan(out, header, wanted, named, retry=retry)
        if planned is not None:
            pythons |= _anchors(planned[1], {*pythons, *reasons})
        if planned is not None and planned[0] not in header.sessions:
            header = disk.Header(profile, (*header.sessions, planned[0]))
            disk.write_header(out, header)
        if reasons:
            lost = [stack for stack in wanted.stacks if stack.name in reasons]
            _record(out, header.sessions[-1], wanted, lost, reasons)
        if not absent and planned is None:
            typer.echo(f"all of this is measured already in {out}")
        if planned is not None:
            _measure(out, wanted, *planned, pythons, timeout)
    _conclude(out, wanted, whole=not broken)


@app.command()
def report(folder: Folder = FOLDER) -> None:
    """Draw the chart page and the tables again, from disk."""
    _report(folder)


@app.command()
def export(
    folder: Folder = FOLDER,
    format_: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "csv",
    to: Annotated[
        Path | None, typer.Option(help="File to write; rows.FORMAT in DIR unless given.")
    ] = None,
) -> None:
    """Write one tidy row for each case, round and metric."""
    one_of("format", format_, FORMATS)
    from gmixbench.lab.history import read
    from gmixbench.report.tidy import tidy, write_tidy

    rows = tidy(read(folder))
    path = to or folder / f"rows.{format_}"
    if path.resolve() in (folder.resolve() / name for name in ("history.json", "history.md")):
        raise UsageError(f"--to {path}: the history itself stands there; give another file")
    write_tidy(rows, path, format_)
    typer.echo(f"{len(rows)} rows: {path}")


def _to_asv(
    context: typer.Context,
    folder: Path,
    asv: Path,
    lines: Sequence[str],
    ranges: Sequence[str] | None,
    locks: Path | None,
) -> None:
    from gmixbench.lab import stacks as lab_stacks
    from gmixbench.lab.history import read
    from gmixbench.report.asv_repository import write_asv_repositories

    for name in MEASURING:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--asv measures nothing and takes what is stored: leave --{name} out")
    history = read(folder)
    named = {release.stack: release for release in history.releases if release.ppl in lines}
    chosen = set[str]().union(*(_range(text, named) for text in ranges)) if ranges else {*named}
    if not chosen:
        raise UsageError(f"{folder} holds no release of {' or '.join(lines)}")
    measured = {row.lock for row in history.measurements}
    known = lab_stacks.stacks(lab_stacks.folder(locks))
    texts = {stack.name: stack.text() for stack in known if stack.digest in measured}
    for path in write_asv_repositories(history, chosen, texts, asv):
        typer.echo(f"{path}: `asv publish` there, then `asv preview`")


def _chosen(
    stacks: "Sequence[Stack]", ranges: Sequence[str] | None, locks: Path
) -> "tuple[Stack, ...]":
    if not stacks:
        raise UsageError(
            f"no lock files in {locks}: name their folder with --locks, or make one with "
            "`gmixbench stacks lock`"
        )
    if not ranges:
        return tuple(stacks)
    named = {stack.name: stack for stack in stacks}
    chosen: set[str] = set()
    for text in ranges:
        chosen |= _range(text, named)
    return tuple(stack for stack in stacks if stack.name in chosen)


def _range(text: str, named: "Mapping[str, Stack] | Mapping[str, Release]") -> set[str]:
    from gmixbench.lab.stacks import unknown

    first, dots, last = text.partition("..")
    for name in (first, last):
        if name and name not in named:
            raise UsageError(f"--stacks {text}: {unknown(name, named)}")
    if not first and not last:
        raise UsageError(f"--stacks {text!r} names no stack: give A..B, A.., ..B or A")
    if not dots:
        return {first}
    lines = {named[name].ppl for name in (first, last) if name}
    if len(lines) > 1:
        raise UsageError(
            f"--stacks {text}: {first} and {last} are of two libraries: give each its own"
        )
    names = [name for name, stack in named.items() if stack.ppl in lines or not lines]
    begin = names.index(first) if first else 0
    end = names.index(last) if last else len(names) - 1
    if begin > end:
        raise UsageError(
            f"--stacks {text}: {first} came out after {last}; give the older one first"
        )
    return set(names[begin : end + 1])


def _record(
    out: Path,
    session: "Session",
    wanted: "Wanted",
    lost: "Sequence[Stack]",
    reasons: Mapping[str, str],
) -> None:
    """Keep why stacks could not be built; another call tries them again."""
    from gmixbench.lab.history import append
    from gmixbench.lab.planning import Visit
    from gmixbench.lab.rounds import not_built, release

    for stack in lost:
        visits = [Visit(k, stack, tuple(wanted.cases(stack, k))) for k in range(wanted.rounds)]
        append(out, release(stack), not_built(session, visits, reasons[stack.name]))


def _measure(
    out: Path,
    wanted: "Wanted",
    session: "Session",
    visits: "Sequence[Visit]",
    pythons: Mapping[str, Path],
    timeout: float,
) -> None:
    from gmixbench.lab import datasets
    from gmixbench.lab.progress import progress
    from gmixbench.lab.rounds import measure
    from gmixbench.truth.solve import solve

    left = [visit for visit in visits if visit.stack.name in pythons]
    data = datasets.load(wanted.dataset)
    exact = solve(data.x, left[0].cases[0].model) if left else None
    cases = [case for visit in left for case in visit.cases]
    if exact is None:
        return
    try:
        with progress(console, cases) as (watch, done):
            for finished in measure(
                out, session, left, pythons, exact, timeout=timeout, watch=watch
            ):
                done(finished)
                cases.remove(finished.case)
    except KeyboardInterrupt:
        typer.echo(f"stopped with {len(cases)} cases to go; run it again to go on")
        raise typer.Exit(INTERRUPTED) from None


def _anchors(visits: "Sequence[Visit]", seen: set[str]) -> dict[str, Path]:
    beside = {visit.stack.name: visit.stack for visit in visits if visit.stack.name not in seen}
    if beside:
        typer.echo(f"anchors beside, by which sessions are joined: {', '.join(beside)}")
    pythons, reasons = _build(beside)
    if reasons:
        names = ", ".join(reasons)
        typer.echo(
            f"gmixbench: nothing was measured: beside {names} alone can what is new be held "
            "against what is stored; mend that, or begin another history with --out",
            err=True,
        )
        raise typer.Exit(NOT_MEASURED)
    return pythons


def _build(stacks: "Mapping[str, Stack]") -> tuple[dict[str, Path], dict[str, str]]:
    """Interpreter of each stack, and of each that can't be had the reason."""
    from gmixbench.lab.building import build
    from gmixbench.lab.stacks import StackError

    pythons, reasons = {}, {}
    if stacks:
        many = "1 environment" if len(stacks) == 1 else f"{len(stacks)} environments"
        typer.echo(f"{many} to look at, and to build where not there")
    try:
        with console.status("") as status:
            for count, (name, stack) in enumerate(sorted(stacks.items()), 1):
                status.update(f"[{count}/{len(stacks)}] environment of {name}")
                try:
                    pythons[name] = build(stack, say=status.update)
                except StackError as error:
                    reasons[name] = str(error)
                    typer.echo(str(error), err=True)
    except KeyboardInterrupt:
        typer.echo("stopped while building; run it again to go on")
        raise typer.Exit(INTERRUPTED) from None
    return pythons, reasons


def _report(folder: Path) -> None:
    from gmixbench.lab.history import read
    from gmixbench.report.history_markdown import write_history_markdown
    from gmixbench.report.history_page import write_history_page
    from gmixbench.report.history_terminal import history_tables
    from gmixbench.ruler.find import find

    with console.status("looking for what changed"):
        history = read(folder)
        findings = find(history)
    for table in history_tables(history, findings):
        console.print(table)
    with console.status("drawing the chart"):
        page = write_history_page(history, findings, folder)
        write_history_markdown(history, findings, folder)
    typer.echo(f"chart: {page}")


def _conclude(folder: Path, wanted: "Wanted", *, whole: bool) -> None:
    from gmixbench.lab.history import read

    _report(folder)
    names = {stack.name for stack in wanted.stacks}
    rows = [row for row in read(folder).measurements if row.case.stack in names]
    sound = whole and rows and all(row.valid for row in rows)
    raise typer.Exit(0 if sound else NOT_MEASURED)

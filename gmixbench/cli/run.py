"""`run`, `report`, `score`, `ranking`: measure cases, and look at what they left."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.exits import INTERRUPTED, NOT_MEASURED, UsageError
from gmixbench.cli.options import (
    ALL,
    Data,
    PriorScale,
    Sigma,
    backends_of,
    console,
    datasets_of,
    left_out_of,
    likelihoods_of,
    methods_of,
    mixture_of,
    model_of,
    models_of,
    one_of,
    positive,
)
from gmixbench.lab.plan import plan_cases
from gmixbench.measured.backends import knows, writes
from gmixbench.spec import (
    ALL_MODELS,
    DATASETS,
    DEFAULT_DATASET,
    DEFAULT_METHODS,
    LIKELIHOODS,
    METHODS,
    MIXTURE,
    PROFILES,
    STARTS,
    Case,
    Dataset,
)

if TYPE_CHECKING:
    from gmixbench.lab import store
    from gmixbench.lab.results import Results
    from gmixbench.ruler.score import Posterior

Out = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `run` made.")]


def run(
    profile: Annotated[str, typer.Option(help=f"One of {', '.join(PROFILES)}.")] = "standard",
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(ALL_MODELS)}; the first two unless given."),
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="pymc and numpyro unless given; all; exact; or a module of your own."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(METHODS)}; the first three unless given."),
    ] = None,
    likelihood: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(LIKELIHOODS)}; {MIXTURE} unless given."),
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

    A general mixture (ordered_full) has none; a reference by long runs stands in for it.

    Exits 0 when all `ordered` and all `advi-matched` cases are valid and none failed, else 3.
    """
    mixture = mixture_of(sigma, prior_scale)
    positive("--timeout", timeout)
    sets, models = datasets_of(dataset, data), models_of(model)
    backends, forms = backends_of(backend), likelihoods_of(likelihood)
    methods = methods_of(method, DEFAULT_METHODS, models, forms)
    named = [name for name in backend or () if name != ALL]
    left_out = [
        *left_out_of(backends, methods, named, knows),
        *left_out_of(backends, forms, named, writes),
    ]
    cases = plan_cases(
        profile=one_of("profile", profile, PROFILES),
        models=[model_of(name, mixture) for name in models],
        backends=backends,
        methods=methods,
        datasets=[item.name for item in sets],
        chains=chains,
        starts=one_of("starts", starts, STARTS),
        seeds=list(dict.fromkeys(seed or [0])),
        likelihoods=forms,
    )
    for line in left_out:
        typer.echo(line)
    from gmixbench.lab import claim, references, store
    from gmixbench.lab.environment import describe

    plan = store.Plan(profile, tuple(cases), describe())
    folder = out or _folder(plan, sets, fresh=not resume)
    with console.status("finding the posterior"):
        exacts = references.posteriors(cases, {item.name: item.x for item in sets})
    with claim.locked(folder, claim.RUN):
        store.prepare(folder, plan, sets, fresh=not resume)
        references.keep_all(folder, exacts)
        _measure(cases, exacts, folder, timeout)
        results = _judge(folder, exacts)
        _report(folder, results)
    _summarize(folder, results)
    raise typer.Exit(_exit_code(results))


def report(out: Out) -> None:
    """Draw the report of a folder again, from disk."""
    from gmixbench.report.terminal import reasons

    results = _judge(out)
    path = _report(out, results)
    for line in reasons([], results.failures):
        console.print(line, soft_wrap=True, highlight=False)
    typer.echo(f"report: {path}")


def score(out: Out) -> None:
    """Score and judge the runs of a folder again, without sampling.

    Exits as `run` does.
    """
    results = _judge(out)
    _summarize(out, results)
    raise typer.Exit(_exit_code(results))


def ranking(out: Out) -> None:
    """Rank the samplers of a folder: a table for each model, and a page with figures.

    More than one `--seed` of `run` gives each row an interval. Exits 3 where all runs failed.
    """
    from gmixbench.report.panel import is_nuts
    from gmixbench.report.ranking_page import write_ranking
    from gmixbench.report.ranking_table import for_terminal
    from gmixbench.ruler.ranking import rank_each

    results = _judge(out)
    nuts = [judged for judged in results.judged if is_nuts(judged)]
    failures = [each for each in results.failures if each.case.method == "nuts"]
    if not (nuts or failures):
        raise UsageError(f"{out} has no NUTS runs: there is nothing to rank")
    with console.status("drawing the ranking"):
        path = write_ranking(out, nuts, failures, results.environment)
    for dataset, model, found in rank_each(nuts, failures):
        if found.rows:
            console.print(for_terminal(f"{model.name} on {dataset}", found))
        told = [f"{row.name}: {row.note}" for row in found.rows if row.note]
        told += [f"{each.name} has no rank: {each.reason}" for each in found.left]
        for line in told:
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        console.print()
    typer.echo(f"ranking: {path}")
    if not nuts:
        raise typer.Exit(NOT_MEASURED)


def _folder(plan: "store.Plan", sets: Sequence[Dataset], *, fresh: bool) -> Path:
    from gmixbench.lab import store

    results = Path("results")
    started = None if fresh else store.unfinished(results, plan, sets)
    return started or results / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{plan.profile}"


def _measure(
    cases: Sequence[Case],
    exacts: "dict[str, Posterior]",
    folder: Path,
    timeout: float,
) -> None:
    from gmixbench.lab import store
    from gmixbench.lab.execute import execute
    from gmixbench.lab.progress import progress

    left = store.pending(folder, cases)
    if len(left) < len(cases):
        typer.echo(f"{len(cases) - len(left)} of {len(cases)} cases are in {folder} already")
    if left:
        what = "1 case" if len(left) == 1 else f"{len(left)} cases, one after another"
        typer.echo(f"{what}, in a fresh process that compiles first")
    try:
        with progress(console, left) as (watch, done):
            for finished in execute(left, exacts, folder, timeout=timeout, watch=watch):
                done(finished)
    except KeyboardInterrupt:
        still = len(store.pending(folder, cases))
        typer.echo(f"stopped with {still} of {len(cases)} cases to go; run it again to go on")
        raise typer.Exit(INTERRUPTED) from None


def _judge(folder: Path, exacts: "dict[str, Posterior] | None" = None) -> "Results":
    from gmixbench.lab.results import judge_folder, write_scores

    with console.status("judging against the posterior"):
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
        count = len(results.missing)
        what = "1 planned case has" if count == 1 else f"{count} planned cases have"
        typer.echo(f"{what} no record: the same `gmixbench run` with --out {folder} goes on")
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

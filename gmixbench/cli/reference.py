"""`reference`: long runs that stand in for the exact posterior of a general mixture."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gmixbench.cli.exits import INTERRUPTED, UsageError
from gmixbench.cli.options import (
    Data,
    backends_of,
    console,
    datasets_of,
    one_of,
    positive,
    probability,
)
from gmixbench.measured.backends import sampler_of
from gmixbench.spec import DATASETS, DEFAULT_DATASET, GENERAL


def reference(
    model: Annotated[str, typer.Option(help=f"One of {', '.join(GENERAL)}.")] = next(iter(GENERAL)),
    dataset: Annotated[
        str | None, typer.Option(help=f"{', '.join(DATASETS)}; {DEFAULT_DATASET} unless given.")
    ] = None,
    data: Data = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="Of two libraries or more; numpyro and blackjax unless given."),
    ] = None,
    chains: Annotated[int, typer.Option(min=2)] = 8,
    draws: Annotated[int, typer.Option(min=100, help="Of each chain.")] = 40_000,
    target_accept: Annotated[float, typer.Option(help="Higher where chains diverge.")] = 0.98,
    out: Annotated[
        Path | None, typer.Option(help="Folder for it; $GMIXBENCH_REFERENCES, or references.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds after which a run is ended.")] = 14400.0,
) -> None:
    """Make the reference of a model that has no exact posterior, by long runs of two libraries.

    It is written once R-hat, ESS, divergences, both densities and their agreement allow it; else
    the command says why, and exits 3. Interrupted, it goes on with the run that it had begun.
    """
    mixture = GENERAL[one_of("model", model, GENERAL)]
    positive("--timeout", timeout)
    probability("--target-accept", target_accept)
    (chosen,) = datasets_of([dataset] if dataset else None, data)
    from gmixbench.lab import references
    from gmixbench.ruler.certify import LEAST_LIBRARIES

    some = backends_of(backend or list(references.BACKENDS))
    libraries = list(dict.fromkeys(map(sampler_of, some)))
    if len(libraries) < LEAST_LIBRARIES:
        raise UsageError(
            f"{', '.join(some)}: NUTS of {', '.join(libraries)} alone, and {LEAST_LIBRARIES} "
            "libraries must agree: give --backend of another"
        )
    from gmixbench.lab.execute import Done
    from gmixbench.lab.progress import progress

    settings = replace(references.LONG, chains=chains, draws=draws, target_accept=target_accept)
    cases = references.cases(chosen, mixture, some, settings)
    folder = out or references.folder()
    work = references.work_of(folder, chosen, mixture)
    try:
        with progress(console, cases) as (watch, done):
            runs = []
            for run in references.make(chosen, cases, work, timeout=timeout, watch=watch):
                runs.append(run)
                done(Done(run.case, run, run.timing.total_s or 0.0))
    except KeyboardInterrupt:
        typer.echo("stopped; call it again to go on")
        raise typer.Exit(INTERRUPTED) from None
    with console.status("certifying"):
        made = references.certified(chosen, runs)
    path = references.keep(folder, made)
    told = made.made
    typer.echo(
        f"reference: {path}: R-hat {told['rhat']:.5f}, ESS {told['ess']:,.0f}, "
        f"{' and '.join(some)} at most {told['disagreement_z']:.1f} standard errors apart"
    )

"""`noise`: what this machine can tell, and what it can't."""

from pathlib import Path
from typing import Annotated

import typer

from gmixbench.cli.compare import (
    Band,
    Budget,
    Data,
    Fresh,
    Methods,
    Models,
    Timeout,
)
from gmixbench.cli.comparing import asked, measured, preparing, tasks_of
from gmixbench.cli.exits import NOT_MEASURED
from gmixbench.cli.options import (
    Locks,
    all_of,
    console,
    methods_of,
    one_of,
    positive,
    seconds_of,
    share_of,
)
from gmixbench.spec import ALL_MODELS, DATASETS, DEFAULT_DATASET


def noise(
    side: Annotated[
        str,
        typer.Argument(metavar="A", help="What is measured against itself; named as in `compare`."),
    ] = "here:numpyro",
    model: Models = None,
    method: Methods = None,
    dataset: Data = DEFAULT_DATASET,
    band: Band = "2%",
    budget: Budget = "10m",
    locks: Locks = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what it leaves; results/noise-A-... .")
    ] = None,
    fresh: Fresh = False,
    timeout: Timeout = 600.0,
) -> None:
    """Tell how small a change this machine can detect, by comparing A with itself.

    All that differs is the machine's noise. For each metric that compare must
    answer it shows the narrowest --band that would get an answer in the time
    given, and how large a slowdown must be to be detected in half of all
    comparisons. Ask before you trust a laptop or a CI runner, or when compare
    finds no answer; what makes the machine noisy is told too, where it is known.

    Takes the whole budget. The result is kept, and compare warns from then on
    where its band is narrower than this machine can tell. Exits 3 when there
    were too few blocks.
    """
    models = all_of("model", model or ["ordered"], ALL_MODELS)
    tasks = tasks_of(models, methods_of(method, ["nuts"], models))
    one_of("dataset", dataset, DATASETS)
    width, seconds = share_of("--band", band), seconds_of("--budget", budget)
    positive("--timeout", timeout)
    from gmixbench.lab import claim
    from gmixbench.lab.comparison import floors as on_disk
    from gmixbench.lab.comparison.folder import label
    from gmixbench.lab.comparison.quiet import advice
    from gmixbench.lab.comparison.sides import side as side_of
    from gmixbench.lab.stacks import folder as locks_folder
    from gmixbench.report.comparison.floors import floors_table
    from gmixbench.ruler.comparison.floor import floors

    if out is not None:
        claim.refuse_others(out, claim.COMPARISON)
    before = [*advice()]
    with preparing("finding out what A is") as say:
        one = side_of(side, locks_folder(locks), say=say)
    # No band is so wide that blocks would stop before the time is spent.
    question = asked([one, one], tasks, dataset, band=1e-6, ess_band=1e-6, alpha=0.01)
    outcome = measured(
        out or Path("results") / f"noise-{label(question)}",
        question,
        [one, one],
        budget=seconds,
        timeout=timeout,
        fresh=fresh,
        done=lambda _: False,
    )
    found = floors(outcome)
    for reason in (reason for trust in outcome.trusts for reason in trust.reasons):
        typer.echo(f"{side}: {reason}", err=True)
    if not found:
        if outcome.valid:
            typer.echo(f"{outcome.blocks} blocks are too few: give a longer --budget", err=True)
        raise typer.Exit(NOT_MEASURED)
    console.print(floors_table(found, width))
    for line in before:
        typer.echo(f"advice: {line}")
    typer.echo(f"kept for `compare`: {on_disk.keep(question, found, seconds)}")

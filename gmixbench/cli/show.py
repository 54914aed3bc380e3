"""`exact` and `list`: what is one_of, and what can be measured."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gmixbench.cli.exits import UsageError
from gmixbench.cli.options import (
    Data,
    PriorScale,
    Sigma,
    console,
    datasets_of,
    mixture_of,
    model_of,
    one_of,
)
from gmixbench.measured.backends import BACKENDS
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import (
    ALL_MODELS,
    DATASETS,
    DEFAULT_DATASET,
    GENERAL,
    LIKELIHOODS,
    METHODS,
    MODELS,
    PROFILES,
    STARTS,
)


def exact(
    dataset: Annotated[
        str | None, typer.Option(help=f"{', '.join(DATASETS)}; {DEFAULT_DATASET} unless given.")
    ] = None,
    data: Data = None,
    model: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(MODELS)}; both unless given.")
    ] = None,
    sigma: Sigma = 1.0,
    prior_scale: PriorScale = 10.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there.")
    ] = None,
) -> None:
    """Print the exact posterior of a data set under both models of two means."""
    mixture = mixture_of(sigma, prior_scale)
    names = [one_of("model", name, ALL_MODELS) for name in model or MODELS]
    general = [name for name in names if name in GENERAL]
    if general:
        raise UsageError(
            f"{general[0]} has no exact posterior, which is for {' and '.join(MODELS)}: its runs "
            "are judged by a reference, which `gmixbench reference` makes"
        )
    (chosen,) = datasets_of([dataset] if dataset else None, data)
    from gmixbench.disk import write_bytes
    from gmixbench.truth.listing import listing
    from gmixbench.truth.solve import solve

    with console.status("solving the exact posterior"):
        solved = solve(chosen.x, mixture)
    figures = {name: listing(solved, model_of(name, mixture)) for name in names}
    if json_file is not None:
        write_bytes(json_file, (json.dumps(figures, indent=1) + "\n").encode())
    from gmixbench.report.terminal import exact_table

    console.print(exact_table(chosen, mixture, figures))


def list_() -> None:
    """Show what can be measured: profiles, data sets, models, methods, backends and metrics."""
    what = Table(title="cases", title_justify="left", box=None, show_header=False)
    for name, values in {
        "--profile": PROFILES,
        "--dataset": DATASETS,
        "--model": ALL_MODELS,
        "--backend": BACKENDS,
        "--method": METHODS,
        "--likelihood": LIKELIHOODS,
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

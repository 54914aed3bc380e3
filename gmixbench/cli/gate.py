"""`gate`: is what is new as good as the baseline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.exits import INCONCLUSIVE, NOT_MEASURED, REGRESSED, UsageError
from gmixbench.cli.markdown import write_markdown
from gmixbench.cli.options import console, share_of

if TYPE_CHECKING:
    from gmixbench.ruler.gate import Outcome

CODES = {"fine": 0, "regressed": REGRESSED, "not measured": NOT_MEASURED}
CODES["inconclusive"] = INCONCLUSIVE

Baseline = Annotated[
    Path,
    typer.Argument(
        metavar="BASELINE",
        help="scores.json, a run's folder, a folder of runs, pytest-benchmark's JSON, asv's "
        "results of a commit, or an accepted baseline.",
    ),
]

New = Annotated[Path, typer.Argument(metavar="NEW", help="The same kind of what is new.")]


def gate(
    baseline: Baseline,
    new: New,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Take timings of two machines as evidence.")
    ] = False,
    band: Annotated[
        str | None, typer.Option(help="Share within which timings are equivalent; 5% unless given.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it there too; $GITHUB_STEP_SUMMARY unless given."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there as JUnit XML, too.")
    ] = None,
    charts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write github-action-benchmark's two files.")
    ] = None,
) -> None:
    """Judge NEW by BASELINE, metric by metric.

    Exits 1 when something got worse, else 3 when a case is invalid, failed or missing or nothing
    could be judged, else 4 when a metric that matters may have become much worse, else 0. Exits 2
    on bad input.
    """
    width = None if band is None else share_of("--band", band)
    from gmixbench.lab.gate_files import read_side
    from gmixbench.report.gate_terminal import gate_lines
    from gmixbench.ruler.gate import judge

    sides = read_side(baseline), read_side(new)
    if sides[0].kind != sides[1].kind:
        raise UsageError(
            f"{baseline} is of {sides[0].kind} and {new} of {sides[1].kind}: give two of one kind"
        )
    outcome = judge(*sides, across_machines=across_machines, band=width)
    for line in gate_lines(outcome):
        console.print(line, soft_wrap=isinstance(line, str), highlight=False)
    _write(outcome, markdown, junit, charts)
    raise typer.Exit(CODES[outcome.verdict])


def _write(
    outcome: "Outcome", markdown: Path | None, junit: Path | None, charts: Path | None
) -> None:
    from gmixbench.disk import write_bytes
    from gmixbench.report.gate_charts import gate_charts
    from gmixbench.report.gate_junit import gate_junit
    from gmixbench.report.gate_markdown import gate_markdown

    write_markdown(gate_markdown(outcome), markdown)
    if junit is not None:
        write_bytes(junit, gate_junit(outcome))
    if charts is not None:
        for name, content in gate_charts(outcome).items():
            write_bytes(charts / f"{name}.json", content)

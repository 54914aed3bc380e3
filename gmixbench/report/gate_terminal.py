"""The gate's answer for a terminal: verdicts first."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from gmixbench.report.gate_words import change, grounds, headline, tally
from gmixbench.report.verdicts import COLOURS, value
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.sides import label


def gate_lines(outcome: Outcome) -> Iterator[RenderableType]:
    """Verdict, what it rests on, and what could not be judged, in order of weight."""
    colour = COLOURS[outcome.verdict]
    yield f"[{colour}]{outcome.verdict}[/]: {escape(headline(outcome))}"
    for fault in outcome.faults:
        yield f"[bold red]{fault.side}[/] {escape(label(fault.key))}: {escape(fault.message)}"
    for title in ("regressed", "improved"):
        some = [one for one in outcome.judgements if one.verdict == title]
        yield from _table(f"[{COLOURS[title]}]{title}[/]", some)
    yield from _table("[yellow]no answer[/]", outcome.unanswered)
    if outcome.refused:
        yield f"[yellow]{escape(outcome.refused)}[/]"
    yield from map(escape, outcome.notes)
    if outcome.judgements:
        yield f"[dim]{tally(outcome)}[/]"
    if outcome.changed:
        yield f"[dim]changed: {escape(', '.join(outcome.changed))}[/]"


def _table(title: str, judgements: Sequence[Judgement]) -> Iterator[Table]:
    if not judgements:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("case", min_width=14)
    table.add_column("metric", no_wrap=True)
    for heading in ("baseline", "new"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("change, 90 %, from", min_width=14)
    for one in judgements:
        table.add_row(
            escape(label(one.key)),
            one.metric,
            value(one.metric, one.baseline),
            value(one.metric, one.new),
            f"{escape(change(one))}; [dim]{grounds(one)}[/]",
        )
    yield table

"""A comparison for a terminal: right or wrong, what it means, and the numbers it rests on."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from gmixbench.report.comparison.rows import Answer, Row, Section, answers, sections
from gmixbench.report.comparison.tables import plain
from gmixbench.report.comparison.words import differences, headline, sentences, told_apart
from gmixbench.report.numbers import MISSING
from gmixbench.report.verdicts import COLOURS
from gmixbench.ruler.comparison.nouns import Outcome

ANSWERS = {"yes": "green", "so far": "dim", "not measured": "bold red", "NO": "bold red"}
"""What a terminal shows an answer in."""


def comparison_lines(outcome: Outcome) -> Iterator[RenderableType]:
    """Verdict, validity, sentences, tables, and what else differs."""
    comparison = outcome.comparison
    colour = COLOURS[outcome.verdict]
    yield f"[{colour}]{outcome.verdict}[/]: {escape(headline(outcome))}"
    yield from ("", _validity(answers(outcome)), "")
    yield from (escape(text) for text in sentences(outcome))
    found = [*sections(outcome)]
    for section in found:
        if not section.changed:
            yield from ("", _findings(section))
            remarks = [f"{row.metric}: {row.remark}" for row in section.rows if row.remark]
            yield from (f"[dim]{escape(remark)}[/]" for remark in remarks)
    for task in dict.fromkeys(section.task for section in found):
        steps = [section for section in found if section.changed and section.task == task]
        if steps:
            yield from ("", _steps(steps))
    if found:
        yield from ("", f"[dim]{_legend(outcome)}[/]")
    changed = differences(comparison)
    yield f"[dim]differs: {escape(', '.join(changed)) or 'no locked version'}[/]"
    if advice := told_apart(comparison):
        yield f"[dim]{advice}[/]"


def _legend(outcome: Outcome) -> str:
    return (
        "old and new: medians over blocks; change: new against old, paired by block, so not the "
        "ratio of those, with an interval that holds however often one looks "
        f"(alpha {outcome.comparison.alpha:g}); band: what is no change; n: blocks it rests on, of "
        f"{outcome.blocks}"
    )


def _validity(rows: Sequence[Answer]) -> Table:
    table = plain("right or wrong")
    for heading in ("task", "variant", "valid"):
        table.add_column(heading, overflow="fold")
    for heading in ("worst z", "limit"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("worst in")
    for one in rows:
        table.add_row(
            escape(one.task),
            escape(one.variant),
            f"[{ANSWERS[one.valid]}]{one.valid}[/]",
            one.z,
            one.limit,
            escape(one.worst) or MISSING,
        )
    return table


def _findings(section: Section) -> Table:
    table = plain(escape(f"{section.task}: {section.old} → {section.new}"))
    table.add_column("metric", no_wrap=True)
    for heading in ("old", "new"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("change")
    table.add_column("band", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for row in section.rows:
        told = f"[{COLOURS[row.verdict]}]{row.verdict}[/]"
        table.add_row(row.metric, row.old, row.new, escape(row.change), row.band, told, row.blocks)
    return table


def _steps(some: Sequence[Section]) -> Table:
    """Each step's change of what must have an answer."""
    table = plain(escape(f"{some[0].task}, by step"))
    table.add_column("step", overflow="fold")
    metrics = dict.fromkeys(row.metric for section in some for row in section.rows if row.asked)
    for metric in metrics:
        table.add_column(metric)
    for section in some:
        rows = {row.metric: row for row in section.rows}
        told = [_told(rows[metric]) if metric in rows else MISSING for metric in metrics]
        table.add_row(escape(section.changed), *told)
    return table


def _told(row: Row) -> str:
    return f"[{COLOURS[row.verdict]}]{row.symbol}[/] {escape(row.change)}"

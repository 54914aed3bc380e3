"""A history as tables for a terminal."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from gmixbench.report.history_words import (
    GRAVE,
    NOT_JUDGED,
    SAME_RUNS,
    case,
    how_much_with_interval,
    interval,
    latest_first,
    library,
    metric,
    others,
    remarks,
    with_interval,
)
from gmixbench.report.numbers import MISSING
from gmixbench.report.pane import PANES, Line, Standing, datasets, standings
from gmixbench.ruler.changes import Findings, Series
from gmixbench.ruler.dependencies import short
from gmixbench.ruler.history import History, Release

VERDICTS = {"regressed": "[bold red]regressed[/]", "improved": "[green]improved[/]"}


def history_tables(history: History, findings: Findings) -> Iterator[Table]:
    """Notices, changes, and the last release of each library beside the one before it."""
    if findings.notices:
        yield _notices(history, findings)
    if any(series.changes for series in findings.series):
        yield _changes(history, findings)
    for name in dict.fromkeys(release.ppl for release in history.releases):
        line = [release for release in history.releases if release.ppl == name]
        if len(line) > 1 and findings.series:
            yield _last(history, findings, line[-2], line[-1])


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", box=None, header_style="bold", pad_edge=False,
        collapse_padding=True,
    )  # fmt: skip


def _notices(history: History, findings: Findings) -> Table:
    table = _table("what is wrong, or special")
    for heading in ("release", "what", "cases", "rounds", "why"):
        table.add_column(heading, overflow="fold")
    for remark in remarks(history, findings.notices):
        colour = "bold red" if remark.kind in GRAVE else "yellow"
        table.add_row(
            escape(f"{remark.title} {remark.releases}"),
            f"[{colour}]{remark.label}[/]",
            escape(", ".join(remark.cases)),
            remark.rounds,
            escape(remark.message),
        )
    return table


def _changes(history: History, findings: Findings) -> Table:
    table = _table("what changed, and when")
    for heading in ("release", "date", "metric", "case", "verdict", "by how much", "with it"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("date", "verdict"))
    several = len(datasets(history)) > 1
    told = None
    for series, change, before, release in latest_first(history, findings):
        new = release.stack != told
        table.add_row(
            escape(f"{library(release.ppl)} {release.version}") if new else "",
            release.released if new else "",
            metric(series.metric),
            case(series, with_dataset=several),
            VERDICTS.get(change.verdict, change.verdict),
            how_much_with_interval(series, change),
            escape(short(others(change.dependencies, before, release))) if new else "",
        )
        told = release.stack
    return table


def _last(history: History, findings: Findings, old: Release, new: Release) -> Table:
    table = _table(
        f"{library(new.ppl)} {new.version} ({new.released}) beside {old.version} ({old.released})"
    )
    for heading in ("metric", "case", old.version, new.version, "said"):
        table.add_column(heading, justify="right" if heading[0].isdigit() else "left")
    found = standings(history)
    several = len(datasets(history)) > 1
    shown = {(pane.metric, pane.method) for pane in PANES}
    for series in findings.series:
        if series.ppl != new.ppl or (series.metric, series.method) not in shown:
            continue
        centres = dict(zip(series.stacks, series.centre, strict=True))
        by_stack = found.get(Line(series.ppl, series.dataset, series.model, series.method), {})
        table.add_row(
            metric(series.metric),
            case(series, with_dataset=several),
            _value(series.metric, centres.get(old.stack), by_stack.get(old.stack)),
            _value(series.metric, centres.get(new.stack), by_stack.get(new.stack)),
            _said(series, new) if centres.get(old.stack) and centres.get(new.stack) else MISSING,
        )
    return table


def _said(series: Series, new: Release) -> str:
    """What is said of the last release: a change, or how large one could be that was not seen."""
    change = next((c for c in series.changes if c.stack == new.stack), None)
    if change is not None:
        return VERDICTS.get(change.verdict, change.verdict)
    step = dict(zip(series.stacks, series.steps, strict=True)).get(new.stack)
    if step is None:
        return NOT_JUDGED
    if step[1] == step[2]:
        return SAME_RUNS
    unmoved = 1.0 if series.scale == "ratio" else 0.0
    # Beyond its own interval, but not beyond what all series of a page show by chance.
    words = "none seen" if step[1] <= unmoved <= step[2] else "inconclusive"
    return f"{words}: {with_interval(series, step)}"


def _value(name: str, centre: tuple[float, float, float] | None, standing: Standing | None) -> str:
    if centre is not None:
        return interval(name, centre)
    if standing is not None and standing.verdict in ("invalid", "failed"):
        return f"[bold red]{standing.verdict}[/]"
    return MISSING

"""A history as a page of Markdown: small enough to commit, and to read where the code is read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gmixbench.disk import write_bytes
from gmixbench.report.history_words import (
    case,
    headline,
    how_much_with_interval,
    latest_first,
    library,
    metric,
    others,
    remarks,
)
from gmixbench.report.pane import datasets
from gmixbench.report.stacks_table import engine
from gmixbench.ruler.changes import Findings
from gmixbench.ruler.dependencies import short
from gmixbench.ruler.history import History


def write_history_markdown(history: History, findings: Findings, folder: Path) -> Path:
    """Write `history.md` with the notices, the changes and what was measured; gives its path.

    Raises
    ------
    OSError
        It can't be written.
    """
    lines = [
        "# History",
        "",
        "Made by `gmixbench history report`; the chart is `history.png`.",
        *_headlines(history, findings),
        *_section("What is wrong, or special", _notices(history, findings)),
        *_section("What changed, and when", _changes(history, findings)),
        *_section("Sessions", _sessions(history)),
        *_section("Releases", _releases(history)),
    ]
    path = folder / "history.md"
    write_bytes(path, ("\n".join(lines) + "\n").encode())
    return path


def _headlines(history: History, findings: Findings) -> Iterator[str]:
    for words in headline(history, findings):
        yield ""
        yield f"**{words.lead}** {words.told}".strip()


def _section(title: str, rows: Iterator[Sequence[str]]) -> Iterator[str]:
    heading, *rest = rows
    if not rest:
        return
    yield from ("", f"## {title}", "")
    yield _row(heading)
    yield "|" + "---|" * len(heading)
    yield from map(_row, rest)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _notices(history: History, findings: Findings) -> Iterator[Sequence[str]]:
    yield ("release", "what", "cases", "rounds", "why")
    for remark in remarks(history, findings.notices):
        yield (
            f"{remark.title} {remark.releases}",
            remark.label,
            ", ".join(remark.cases),
            remark.rounds,
            remark.message,
        )


def _changes(history: History, findings: Findings) -> Iterator[Sequence[str]]:
    yield ("release", "date", "metric", "case", "verdict", "by how much", "step", "with it")
    several = len(datasets(history)) > 1
    for series, change, before, release in latest_first(history, findings):
        yield (
            f"{library(release.ppl)} {release.version}",
            release.released,
            metric(series.metric),
            case(series, with_dataset=several),
            change.verdict,
            how_much_with_interval(series, change),
            how_much_with_interval(series, change, "step"),
            short(others(change.dependencies, before, release)),
        )


def _sessions(history: History) -> Iterator[Sequence[str]]:
    yield ("session", "machine", "ruler", "rounds", "releases", "anchors")
    for session in history.sessions:
        yield (
            session.name,
            f"{session.machine.get('cpu', '')}, {session.machine.get('cores', '')} cores",
            f"ArviZ {session.machine.get('arviz-stats', '')}",
            str(len(session.rounds)),
            str(len(session.stacks)),
            ", ".join(session.anchors),
        )


def _releases(history: History) -> Iterator[Sequence[str]]:
    measured = {row.case.stack for row in history.measurements}
    yield ("release", "date", "Python", "NumPy", "engine")
    for release in history.releases:
        if release.stack in measured:
            yield (
                f"{library(release.ppl)} {release.version}",
                release.released,
                release.python,
                release.packages.get("numpy", ""),
                engine(release.packages),
            )

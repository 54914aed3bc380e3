"""The page of a history: what is wrong, when it changed, and the chart; one file, no network."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from gmixbench.disk import write_bytes
from gmixbench.report import style
from gmixbench.report.history_words import (
    GRAVE,
    LABELS,
    Remark,
    case,
    headline,
    how_much_with_interval,
    judged,
    latest_first,
    library,
    metric,
    others,
    remarks,
)
from gmixbench.report.html import embedded, template
from gmixbench.report.interactive import interactive
from gmixbench.report.pane import TITLES, datasets
from gmixbench.report.timeline import timeline
from gmixbench.ruler.changes import Change, Findings, Series
from gmixbench.ruler.history import History, Release
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import MODELS


@dataclass(frozen=True)
class Row:
    """One changed metric of one case."""

    metric: str
    definition: str
    case: str
    verdict: str
    effect: str
    step: str


@dataclass(frozen=True)
class Block:
    """All that changed with one release, and what else its lock changed."""

    title: str
    before: str
    version: str
    released: str
    python: str
    dependencies: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Chart:
    """The chart of one data set: Plotly's figure as JSON, and the picture beside the page."""

    dataset: str
    anchor: str
    figure: Markup
    picture: str


def write_history_page(history: History, findings: Findings, folder: Path) -> Path:
    """Write `history.html`, and `history.png` beside it.

    The page is one file and asks no network for anything. Where there are several data sets, the
    picture of the first is `history.png`, that of another one `history-NAME.png`.

    Returns
    -------
    Path of the page.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; no file is left half-written.
    """
    names = datasets(history)
    charts = [_chart(history, findings, folder, k, name) for k, name in enumerate(names)]
    told = remarks(history, findings.notices)
    page = template("history.html.j2").render(
        headline=headline(history, findings),
        grave=[remark for remark in told if remark.kind in GRAVE],
        others=_by_kind([remark for remark in told if remark.kind not in GRAVE]),
        labels=LABELS,
        charts=charts,
        plotly=_plotly() if charts else Markup(""),
        libraries=[(n, library(n), style.ppl_colour(n)) for n in _libraries(history)],
        models=[name for name in MODELS if _has_model(history, name)],
        blocks=blocks(history, findings),
        alarms=_alarms(findings),
        unjudged=bool(findings.series) and not judged(findings.series),
        history=history,
        rounds=_rounds(history),
        metrics=METRICS.values(),
        methods=sorted({item.case.method for item in history.measurements}),
    )
    path = folder / "history.html"
    write_bytes(path, page.encode())
    return path


def _chart(history: History, findings: Findings, folder: Path, k: int, dataset: str) -> Chart:
    with style.house_style():
        content = style.png(timeline(history, findings, dataset))
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", dataset)
    write_bytes(folder / ("history.png" if k == 0 else f"history-{slug}.png"), content)
    figure = json.dumps(interactive(history, findings, dataset), allow_nan=False)
    # Inside a script element only "<" could end it.
    safe = Markup(figure.replace("<", "\\u003c"))  # noqa: S704  # JSON, and no "<" is left
    return Chart(dataset, f"chart-{k}", safe, embedded(content))


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())  # noqa: S704  # made for this: no end of a script element in it


def _libraries(history: History) -> list[str]:
    names = dict.fromkeys(release.ppl for release in history.releases)
    return sorted(names, key=lambda name: [*TITLES, name].index(name))


def _has_model(history: History, name: str) -> bool:
    return any(item.case.model.name == name for item in history.measurements)


def _by_kind(some: Sequence[Remark]) -> dict[str, list[Remark]]:
    found: dict[str, list[Remark]] = {}
    for remark in some:
        found.setdefault(remark.kind, []).append(remark)
    return found


def _alarms(findings: Findings) -> str:
    rates = [s.false_alarms for s in findings.series if s.false_alarms is not None]
    if not rates:
        return ""
    low, high = min(rates), max(rates)
    return f"{low:.2%}" if low == high else f"{low:.2%} to {high:.2%}"


def _rounds(history: History) -> str:
    counts: dict[str, set[tuple[str, int]]] = {}
    for item in history.measurements:
        counts.setdefault(item.case.stack, set()).add((item.session, item.round))
    sizes = {len(rounds) for rounds in counts.values()} or {0}
    return f"{min(sizes)}" if len(sizes) == 1 else f"{min(sizes)} to {max(sizes)}"


def blocks(history: History, findings: Findings) -> list[Block]:
    """Changes grouped by the release they came with, the latest first."""
    releases = {release.stack: release for release in history.releases}
    grouped: dict[tuple[str, str], list[tuple[Series, Change]]] = {}
    for series, change, old, new in latest_first(history, findings):
        grouped.setdefault((old.stack, new.stack), []).append((series, change))
    several = len(datasets(history)) > 1
    return [
        _block(releases[old], releases[new], some, several=several)
        for (old, new), some in grouped.items()
    ]


def _block(
    old: Release, release: Release, some: list[tuple[Series, Change]], *, several: bool
) -> Block:
    rows = tuple(
        Row(
            metric(series.metric),
            METRICS[series.metric].definition if series.metric in METRICS else "",
            case(series, with_dataset=several),
            change.verdict,
            how_much_with_interval(series, change),
            how_much_with_interval(series, change, "step"),
        )
        for series, change in some
    )
    return Block(
        library(release.ppl),
        old.version,
        release.version,
        release.released,
        release.python,
        others(some[0][1].dependencies, old, release),
        rows,
    )

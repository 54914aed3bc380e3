"""What the charts of a history show: their panes, and how each release stood in each case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

from gmixbench.ruler.changes import Change, Findings, Series
from gmixbench.ruler.history import History, Measurement, Release
from gmixbench.ruler.verdict import CONVERGED
from gmixbench.spec import MODELS

TITLES = {"pymc": "PyMC", "numpyro": "NumPyro"}
"""Lines of releases as they are written."""

METHODS = {"nuts": "NUTS", "advi-matched": "ADVI", "advi-library": "ADVI, library's optimizer"}


@dataclass(frozen=True)
class Pane:
    """One metric of one method along the dates; `reference` is a value worth a line."""

    metric: str
    method: str
    title: str
    unit: str
    log: bool = True
    reference: tuple[float, str] | None = None


PANES = (
    Pane("seconds_per_gradient", "nuts", "Seconds per gradient", "s"),
    Pane("ess_per_gradient", "nuts", "ESS per gradient", "draws"),
    Pane("ess_per_second", "nuts", "ESS per second", "1/s"),
    Pane("draws_per_second", "nuts", "Draws per second", "1/s"),
    Pane("compile_s", "nuts", "Compile", "s"),
    Pane("rhat", "nuts", "R-hat, labelled means", "", log=False, reference=(1.01, "1.01")),
    Pane(
        "gap",
        "advi-matched",
        "ADVI gap",
        "nats",
        reference=(CONVERGED, f"converged below {CONVERGED}"),
    ),
    Pane("steps_per_second", "advi-matched", "ADVI steps per second", "1/s"),
    Pane("gap", "advi-library", "ADVI gap, library's optimizer", "nats"),
    Pane("steps_per_second", "advi-library", "ADVI steps per second, library's optimizer", "1/s"),
)
"""Cause before effect: ESS/s is the first less the second, on a log scale."""


@dataclass(frozen=True)
class Point:
    """A release in one series: its value with interval, if there is one, and rounds."""

    release: Release
    centre: tuple[float, float, float] | None
    values: tuple[float, ...]
    change: Change | None


@dataclass(frozen=True)
class Standing:
    """How a release stood in one case over all rounds: counts, and what was said."""

    measured: int
    valid: int
    failed: int
    unconverged: int
    labels: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def verdict(self) -> Literal["valid", "unconverged", "invalid", "failed"]:
        """The worst that happened in any round; a failure tells less than a wrong answer."""
        if self.valid + self.failed < self.measured:
            return "invalid"
        if self.failed:
            return "failed"
        return "unconverged" if self.unconverged else "valid"


@dataclass(frozen=True)
class Line:
    """A line of the chart of validity: a model and method of a library on a data set."""

    ppl: str
    dataset: str
    model: str
    method: str

    @property
    def name(self) -> str:
        """As it is written, the data set apart."""
        return f"{TITLES.get(self.ppl, self.ppl)} {self.model} {METHODS[self.method]}"


def datasets(history: History) -> list[str]:
    """Names of the data sets measured, in the order they were first."""
    return list(dict.fromkeys(item.case.dataset for item in history.measurements))


def standings(history: History, dataset: str | None = None) -> dict[Line, dict[str, Standing]]:
    """How each release stood, by line and stack; the order is that of libraries and methods.

    Of one data set, or of all.
    """
    releases = {release.stack: release for release in history.releases}
    grouped: dict[Line, dict[str, list[Measurement]]] = {}
    for item in history.measurements:
        release, case = releases.get(item.case.stack), item.case
        if release is not None and dataset in (None, case.dataset):
            line = Line(release.ppl, case.dataset, case.model.name, case.method)
            grouped.setdefault(line, {}).setdefault(release.stack, []).append(item)
    return {
        line: {stack: _standing(items) for stack, items in grouped[line].items()}
        for line in sorted(grouped, key=_rank)
    }


def invalid(history: History, lines: Mapping[Line, Mapping[str, Standing]]) -> list[Release]:
    """Releases that were invalid in some line, in order of date."""
    stacks = {
        stack
        for found in lines.values()
        for stack, standing in found.items()
        if standing.verdict == "invalid"
    }
    return [release for release in history.releases if release.stack in stacks]


def _rank(line: Line) -> tuple[str, int, int, int]:
    return (
        line.dataset,
        _place(line.ppl, TITLES),
        _place(line.method, METHODS),
        _place(line.model, MODELS),
    )


def _place(name: str, among: Iterable[str]) -> int:
    known = list(among)
    return known.index(name) if name in known else len(known)


def _standing(items: Sequence[Measurement]) -> Standing:
    said: list[str] = []
    for item in items:
        said += [item.failure] if item.failure else () if item.valid else item.reasons
    return Standing(
        measured=len(items),
        valid=sum(item.valid for item in items),
        failed=sum(item.failure is not None for item in items),
        unconverged=sum(item.valid and item.converged is False for item in items),
        labels=tuple(dict.fromkeys(item.labels for item in items if item.labels)),
        reasons=tuple(dict.fromkeys(said)),
    )


def points(history: History, series: Series) -> list[Point]:
    """All releases of a series' library in order of date, with what the series tells of each."""
    rows = zip(series.stacks, series.centre, series.values, strict=True)
    known = {stack: (centre, values) for stack, centre, values in rows}
    changes = {change.stack: change for change in series.changes}
    return [
        Point(release, *known.get(release.stack, (None, ())), changes.get(release.stack))
        for release in history.releases
        if release.ppl == series.ppl
    ]


def weight(series: Series, change: Change) -> float:
    """How large a change is among those of its pane: the largest is written first."""
    size = change.effect[0]
    return max(size, 1 / size) - 1 if series.scale == "ratio" and size > 0 else abs(size)


def panes(findings: Findings, dataset: str) -> list[tuple[Pane, list[Series]]]:
    """Panes that have something to show, each with its series."""
    of_pane: dict[tuple[str, str], list[Series]] = {}
    for series in findings.series:
        if series.dataset == dataset:
            of_pane.setdefault((series.metric, series.method), []).append(series)
    found = [(pane, of_pane.get((pane.metric, pane.method), [])) for pane in PANES]
    return [
        (pane, some)
        for pane, some in found
        if any(centre is not None for series in some for centre in series.centre)
    ]


def bounds(pane: Pane, series: Sequence[Series]) -> tuple[float, float]:
    """Ends of a pane's axis, with room at the foot for the marks of invalid releases.

    On a log scale what is not above zero stands at the foot.
    """
    parts = [part for s in series for centre in s.centre if centre for part in centre]
    if not pane.log:
        low, high = min(parts), max(parts)
        room = max(high - low, 0.02)
        return low - 0.22 * room, high + 0.2 * room
    # An interval that reaches zero must not stretch the axis: the estimates decide.
    estimates = [centre[0] for s in series for centre in s.centre if centre and centre[0] > 0]
    high = max([part for part in parts if part > 0], default=1.0)
    low = min([*estimates, high])
    room = max(high / low, 1.3)
    return low / room**0.24, high * room**0.2


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones for a log scale: a handful, whatever their ratio."""
    ratio = high / low
    fine = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9)
    coarse = (1, 1.5, 2, 3, 4, 6, 8)
    steps = fine if ratio < 2.5 else coarse if ratio < 6 else (1, 2, 5) if ratio < 300 else (1,)
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    found = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in found if low <= tick <= high]

"""The words of a history: by how much something changed, what moved with it, and the headline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from gmixbench.report.numbers import MISSING, fixed, listing, number, quantity
from gmixbench.report.pane import METHODS, PANES, TITLES
from gmixbench.ruler.changes import Change, Findings, Interval, Notice, Series
from gmixbench.ruler.dependencies import changed, short
from gmixbench.ruler.history import History, Release
from gmixbench.ruler.metrics import METRICS

LEADING = "seconds_per_gradient"
"""Metric of the headline: what the code and the machine alone decide."""

FOLD = 1.5
"""Ratio from which a change is told in times instead of per cent."""

GRAVE = ("invalid", "density", "failed")
"""Kinds of notices that a release must not have; the others are worth knowing."""

LABELS = {
    "invalid": "invalid",
    "density": "wrong density",
    "failed": "failed",
    "unconverged": "ADVI not converged",
    "unjoined": "left out",
    "shim": "needed a workaround",
}

BIASED = "wrong posterior"
"""Label of what is invalid for a bias: not for want of evidence, or of the right packages."""

SAME_RUNS = "the same runs"
"""Of neighbours whose runs share their random stream, and agree to rounding."""

NOT_JUDGED = "not judged (one round)"
"""Of a series in which no release has two rounds: not the same as no change."""


def label(notice: Notice) -> str:
    """What a notice says in two words."""
    if notice.kind == "invalid" and notice.message.startswith("bias"):
        return BIASED
    return LABELS.get(notice.kind, notice.kind)


def judged(series: Sequence[Series]) -> bool:
    """Whether a change could have been seen in any of some series."""
    return any(one.false_alarms is not None for one in series)


def library(name: str) -> str:
    """Line of releases as it is written."""
    return TITLES.get(name, name)


def case(series: Series, *, with_dataset: bool = False) -> str:
    """Model and method of a series, and the data set where there are several."""
    words = f"{series.model} {METHODS.get(series.method, series.method)}"
    return f"{words} on {series.dataset}" if with_dataset else words


def metric(name: str) -> str:
    """A metric as it is written where it is no column of a file."""
    titles = {pane.metric: pane.title for pane in PANES if pane.method != "advi-library"}
    title = titles.get(name, name.replace("_", " "))
    return title if title[:2].isupper() or title.startswith("R-hat") else title.lower()


def value(name: str, some: float | None) -> str:
    """Value of a metric; seconds and bytes say their unit."""
    if name.startswith("rhat"):
        return fixed(some, 3)
    return quantity(some, METRICS[name].unit if name in METRICS else "")


def interval(name: str, centre: Interval | None) -> str:
    """Estimate with its interval."""
    if centre is None:
        return MISSING
    estimate, low, high = (value(name, part) for part in centre)
    return estimate if low == high else f"{estimate} ({low} to {high})"


def how_much(series: Series, change: Change) -> str:
    """Size of a change: "1.9× slower", "+12 %", or a difference in the metric's unit."""
    return _size(series, change.effect[0], change.verdict)


def how_much_with_interval(series: Series, change: Change, effect: str = "effect") -> str:
    """Size of a change with its interval; `effect` is "effect" or "step"."""
    chosen = change.effect if effect == "effect" else change.step
    return with_interval(series, chosen, change.verdict)


def with_interval(series: Series, size: Interval, verdict: str = "changed") -> str:
    """Size of an effect or a step with its interval, if it has one."""
    estimate, low, high = size
    if low == high:
        return _size(series, estimate, verdict)
    if series.scale == "difference":
        return f"{_signed(estimate)} ({_signed(low)} to {_signed(high)})"
    if _in_times(estimate):
        fold = sorted((1 / low, 1 / high) if estimate < 1 else (low, high))
        words = _size(series, estimate, verdict)
        return f"{words} ({number(fold[0])} to {number(fold[1])})"
    return f"{_percent(estimate)} ({_percent(low)} to {_percent(high)})"


def mark(series: Series, change: Change) -> str:
    """Size of a change as a chart has room for: "×1.9", "÷1.9", "+12 %", "+0.1"."""
    estimate = change.effect[0]
    if series.scale == "difference":
        return _signed(estimate)
    if _in_times(estimate):
        return f"÷{_fold(1 / estimate)}" if estimate < 1 else f"×{_fold(estimate)}"
    return _percent(estimate)


def _in_times(ratio: float) -> bool:
    return ratio > 0 and max(ratio, 1 / ratio) >= FOLD


def _size(series: Series, estimate: float, verdict: str) -> str:
    if series.scale == "difference":
        unit = METRICS[series.metric].unit if series.metric in METRICS else "1"
        return _signed(estimate) + (f" {unit}" if unit != "1" else "")
    if not _in_times(estimate):
        return _percent(estimate)
    timed = series.metric in METRICS and METRICS[series.metric].unit in ("s", "1/s")
    if timed and verdict != "changed":
        word = "slower" if verdict == "regressed" else "faster"
    else:
        word = "lower" if estimate < 1 else "higher"
    return f"{_fold(max(estimate, 1 / estimate))}× {word}"


def _fold(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _percent(ratio: float) -> str:
    share = 100 * (ratio - 1)
    return f"{share:+.{0 if abs(share) >= 1 else 1}f}\u00a0%".replace("-", "−")


def _signed(difference: float) -> str:
    text = number(difference)
    return f"+{text}" if difference > 0 else text


def latest_first(
    history: History, findings: Findings
) -> list[tuple[Series, Change, Release, Release]]:
    """Changes, each with its series, the release before it and its own."""
    releases = {release.stack: release for release in history.releases}
    found = [
        (series, change, releases[change.before], releases[change.stack])
        for series in findings.series
        for change in series.changes
    ]
    return sorted(found, key=lambda entry: entry[-1].released, reverse=True)


def moved(history: History) -> dict[str, tuple[str, ...]]:
    """Locked versions that changed with each release, the library's own apart, by stack."""
    found = {}
    for name in dict.fromkeys(release.ppl for release in history.releases):
        line = [release for release in history.releases if release.ppl == name]
        for old, new in pairwise(line):
            found[new.stack] = others(changed(old.versions, new.versions), old, new)
    return found


def others(dependencies: Sequence[str], *releases: Release) -> tuple[str, ...]:
    """Dependencies without the library itself, whose change the release's name tells."""
    own = tuple(f"{release.package} " for release in releases)
    return tuple(text for text in dependencies if not text.startswith(own))


@dataclass(frozen=True)
class Remark:
    """Notices that say the same of several releases."""

    title: str
    kind: str
    label: str
    releases: str
    dates: str
    cases: tuple[str, ...]
    rounds: str
    message: str


def remarks(history: History, notices: Sequence[Notice]) -> list[Remark]:
    """Notices in the order they came, those that say the same of several releases joined."""
    grouped: dict[tuple[str, str, tuple[str, ...], str], list[Notice]] = {}
    for notice in notices:
        key = (notice.ppl, notice.kind, notice.cases, notice.message)
        grouped.setdefault(key, []).append(notice)
    releases = {release.stack: release for release in history.releases}
    found = []
    for (name, kind, cases, message), some in grouped.items():
        shown = [releases[n.stack] for n in some if n.stack in releases]
        counts = dict.fromkeys(f"{n.rounds[0]} of {n.rounds[1]}" for n in some)
        found.append(
            Remark(
                title=library(name),
                kind=kind,
                label=label(some[0]),
                releases=span([r.version for r in shown], _line(history, name)),
                dates=" to ".join(dict.fromkeys((shown[0].released, shown[-1].released)))
                if shown
                else MISSING,
                cases=_cases(history, name, cases),
                rounds=", ".join(counts),
                message=message,
            )
        )
    return found


def _cases(history: History, name: str, cases: Sequence[str]) -> tuple[str, ...]:
    """Cases of a notice as they are written; "all" where none is spared."""
    stacks = {release.stack for release in history.releases if release.ppl == name}
    measured = {
        f"{item.case.model.name} {item.case.method}"
        for item in history.measurements
        if item.case.stack in stacks
    }
    if len(cases) > 1 and set(cases) == measured:
        return ("all",)
    pairs = (text.partition(" ") for text in cases)
    return tuple(f"{model}{gap}{METHODS.get(method, method)}" for model, gap, method in pairs)


def _line(history: History, name: str) -> list[str]:
    return [release.version for release in history.releases if release.ppl == name]


def span(versions: Sequence[str], line: Sequence[str]) -> str:
    """Versions as "a to b (5 releases)" where they are neighbours in their line, else listed."""
    if _neighbours(versions, line):
        return f"{versions[0]} to {versions[-1]} ({len(versions)} releases)"
    return ", ".join(versions)


def _neighbours(versions: Sequence[str], line: Sequence[str]) -> bool:
    """Whether versions are so many neighbours in their line that listing them would be long."""
    if len(versions) <= 3 or versions[0] not in line:
        return False
    first = line.index(versions[0])
    return list(line[first : first + len(versions)]) == list(versions)


@dataclass(frozen=True)
class Headline:
    """A library in two sentences: whether it was right, and when it changed."""

    lead: str
    told: str


def headline(history: History, findings: Findings) -> list[Headline]:
    """What the page says first, library by library."""
    names = dict.fromkeys(release.ppl for release in history.releases)
    return [_headline(history, findings, name) for name in names]


def _headline(history: History, findings: Findings, name: str) -> Headline:
    line = [release for release in history.releases if release.ppl == name]
    versions = {release.stack: release.version for release in line}
    grave = [n for n in findings.notices if n.ppl == name and n.kind in GRAVE]
    series = [s for s in findings.series if s.ppl == name and s.metric == LEADING]
    lead = "; ".join([*_faults(grave, versions), *_changes(series)])
    count = f"{len(line)} {'release' if len(line) == 1 else 'releases'}"
    first, last = (f"{release.version} ({release.released[:7]})" for release in (line[0], line[-1]))
    sentences = [f"{count} from {first} to {last}."]
    for verdict, word in (("regressed", "Slower"), ("improved", "Faster")):
        told = [
            f"{release.version} ({release.released[:7]}, {size}"
            f"{_beside(series, line, release.stack, verdict)})"
            for release in line
            if (size := _range(series, release.stack, verdict))
        ]
        sentences += [f"{word} since {listing(told)}."] if told else []
    return Headline(f"{library(name)}: {lead}.", " ".join(sentences))


def _faults(grave: Sequence[Notice], versions: Mapping[str, str]) -> list[str]:
    """What is wrong, each release counted where it is worst."""
    worst: dict[str, str] = {}
    ranks = (LABELS["density"], BIASED, LABELS["invalid"], LABELS["failed"])
    for notice in sorted(grave, key=lambda notice: ranks.index(label(notice))):
        worst.setdefault(notice.stack, label(notice))
    words = {LABELS["density"]: "of wrong density", BIASED: "sampling a wrong posterior"}
    line, found = [*versions.values()], []
    for rank in ranks:
        stacks = [stack for stack in versions if worst.get(stack) == rank]
        if stacks:
            count = f"{len(stacks)} {'release' if len(stacks) == 1 else 'releases'}"
            listed = [versions[stack] for stack in stacks]
            told = f"{listed[0]} to {listed[-1]}" if _neighbours(listed, line) else short(listed)
            found.append(f"{count} {words.get(rank, rank)} ({told})")
    if {*worst.values()} <= {LABELS["failed"]}:
        found.insert(0, "no invalid release")
    return found


def _changes(series: Sequence[Series]) -> list[str]:
    if not series:
        return []
    if not judged(series):
        return [f"{metric(LEADING)} {NOT_JUDGED}"]
    count = len({change.stack for one in series for change in one.changes})
    if not count:
        return [f"no change seen in {metric(LEADING)}"]
    return [f"{count} {'change' if count == 1 else 'changes'} in {metric(LEADING)}"]


def _range(series: Sequence[Series], stack: str, verdict: str) -> str:
    """Size of one release's change over all cases, "" where there is none of this verdict."""
    found = [c for s in series for c in s.changes if c.stack == stack and c.verdict == verdict]
    ratios = sorted((change.effect[0] for change in found), key=lambda ratio: abs(log(ratio)))
    in_times = any(map(_in_times, ratios))
    told = [f"{_fold(max(r, 1 / r))}×" if in_times else _percent(r) for r in ratios]
    return " to ".join(dict.fromkeys((told[0], told[-1]))) if told else ""


def _beside(series: Sequence[Series], line: Sequence[Release], stack: str, verdict: str) -> str:
    """The release that a change was seen beside, where others stand between: any may be its."""
    stacks = [release.stack for release in line]
    before = {
        c.before for s in series for c in s.changes if (c.stack, c.verdict) == (stack, verdict)
    }
    last = max(map(stacks.index, before))
    return "" if stacks[last + 1] == stack else f" beside {line[last].version}"

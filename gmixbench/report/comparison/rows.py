"""The rows of a comparison's tables, as the terminal, the page and a pull request show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gmixbench.report.comparison.findings import band, change
from gmixbench.report.comparison.steps import step
from gmixbench.report.numbers import MISSING, fixed
from gmixbench.report.verdicts import SYMBOLS, value
from gmixbench.ruler.comparison.nouns import Finding, Outcome, Trust


@dataclass(frozen=True)
class Row:
    """A metric of a task: what it was, what it is, and what is said of that.

    `asked` tells whether there must be an answer; `remark` what else must be known of it.
    """

    metric: str
    old: str
    new: str
    change: str
    band: str
    verdict: str
    symbol: str
    blocks: str
    asked: bool
    remark: str


@dataclass(frozen=True)
class Section:
    """All rows of a task between two variants; `changed` says what made the one the other."""

    task: str
    old: str
    new: str
    changed: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Answer:
    """Whether a variant is right in a task, and how far off its worst check is.

    Before the first look `valid` says but that nothing is known to be wrong.
    """

    task: str
    variant: str
    valid: Literal["yes", "so far", "not measured", "NO"]
    z: str
    limit: str
    worst: str
    reasons: tuple[str, ...]


def sections(outcome: Outcome) -> Iterator[Section]:
    """Each task from the first variant to the last, then by step; those that have a finding."""
    comparison = outcome.comparison
    for task, named in enumerate(comparison.tasks):
        for pair in comparison.pairs:
            rows = [
                _row(each) for each in outcome.findings if (each.pair, each.task) == (pair, task)
            ]
            old, new = (comparison.variants[side].name for side in pair)
            if rows:
                changed = step(comparison, pair) if pair != comparison.pairs[0] else ""
                yield Section(named.name, old, new, changed, tuple(rows))


def answers(outcome: Outcome) -> list[Answer]:
    """Each task of each variant, both sides of a task together."""
    return [
        _answer(outcome, trust)
        for trust in sorted(outcome.trusts, key=lambda trust: (trust.task, trust.variant))
    ]


def _row(finding: Finding) -> Row:
    return Row(
        finding.metric,
        value(finding.metric, finding.old),
        value(finding.metric, finding.new),
        change(finding),
        band(finding),
        finding.verdict,
        SYMBOLS[finding.verdict],
        str(finding.blocks) if finding.blocks else MISSING,
        finding.asked,
        finding.remark,
    )


def _valid(outcome: Outcome, trust: Trust) -> Literal["yes", "so far", "not measured", "NO"]:
    if trust.valid:
        return "yes" if outcome.looks else "so far"
    return "NO" if trust.wrong else "not measured"


def _answer(outcome: Outcome, trust: Trust) -> Answer:
    comparison = outcome.comparison
    return Answer(
        comparison.tasks[trust.task].name,
        comparison.variants[trust.variant].name,
        _valid(outcome, trust),
        fixed(trust.z, 1),
        fixed(trust.limit, 1),
        trust.worst,
        trust.reasons,
    )

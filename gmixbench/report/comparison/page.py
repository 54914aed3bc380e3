"""The page of a comparison: one self-contained HTML file, and its figures beside it."""

import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure

from gmixbench.disk import write_bytes
from gmixbench.report import style
from gmixbench.report.comparison.blocks import blocks
from gmixbench.report.comparison.forest import forest
from gmixbench.report.comparison.rows import answers, sections
from gmixbench.report.comparison.words import differences, headline, sentences, told_apart
from gmixbench.report.html import Caption, Image, drawn, notes, template
from gmixbench.report.numbers import fixed
from gmixbench.ruler.comparison.course import courses
from gmixbench.ruler.comparison.looks import looks
from gmixbench.ruler.comparison.nouns import Outcome
from gmixbench.ruler.comparison.trust import checks_of
from gmixbench.ruler.metrics import METRICS

CHANGED = Caption(
    question="How much did each metric change?",
    guide="A point is the estimate, the line its interval, the shaded strip what is no change. "
    "▼ got worse, ▲ got better, ■ no change, ◇ not decided. A dotted line has no end yet; an arrow "
    "points to what lies beyond the edge.",
    answers=(),
)

COURSE = Caption(
    question="Is it one wild block, a drift, or the same throughout?",
    guide="Each point is a block: the change between two processes of one seed, filled where the "
    "old one was first. Dotted uprights are the looks; from each to the next stands what was said "
    "there, with its interval. Triangles at the edge lie beyond it.",
    answers=(),
)


@dataclass(frozen=True)
class Estimate:
    """What a variant says of a quantity, and how far that is from the exact value."""

    mean: str
    z: str
    beyond: bool


@dataclass(frozen=True)
class Quantity:
    """A check against the exact posterior, with what each variant says."""

    name: str
    exact: str
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True)
class Checks:
    """All checks of a task."""

    task: str
    variants: tuple[str, ...]
    quantities: tuple[Quantity, ...]


def write_comparison(folder: Path, outcome: Outcome) -> Path:
    """Write `compare.html` and `figures/*.png` under `folder`.

    The page is one file and asks no network for anything.

    Returns
    -------
    Path of the page.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; no file is left half-written.
    """
    with style.house_style():
        changed = [*_changed(outcome, folder)]
        course = [*_course(outcome, folder)]
    comparison = outcome.comparison
    measured = dict.fromkeys(each.metric for each in outcome.findings)
    page = template("comparison.html.j2").render(
        outcome=outcome,
        comparison=comparison,
        headline=headline(outcome),
        sentences=[*map(_unbroken, sentences(outcome))],
        answers=answers(outcome),
        checks=[*_checks(outcome)],
        changed=changed,
        sections=[*sections(outcome)],
        course=course,
        differences=differences(comparison),
        told_apart=told_apart(comparison),
        looks=looks(outcome.blocks),
        settings=[(task.name, asdict(task.settings)) for task in comparison.tasks],
        metrics=[(METRICS[name], notes(METRICS[name])) for name in measured],
        definitions={name: METRICS[name].definition for name in measured},
    )
    path = folder / "compare.html"
    write_bytes(path, page.encode())
    return path


def _changed(outcome: Outcome, folder: Path) -> Iterator[Image]:
    if outcome.whole:
        told = " ".join(sentences(outcome))
        alt = f"Change of each metric with its interval. {told} The table below has the numbers."
        yield _image(folder, "forest", forest(outcome), alt, CHANGED)


def _course(outcome: Outcome, folder: Path) -> Iterator[Image]:
    comparison = outcome.comparison
    old, new = comparison.variants[0].name, comparison.variants[-1].name
    found = courses(outcome)
    for task, named in enumerate(comparison.tasks):
        some = [each for each in found if each.finding.task == task]
        if some:
            caption = replace(COURSE, question=f"{named.name}: {COURSE.question}")
            alt = f"Change of each metric of {named.name} block by block. {COURSE.guide}"
            name = f"blocks-{named.name.replace(' ', '-')}"
            yield _image(folder, name, blocks(some, old, new), alt, caption)


def _image(folder: Path, name: str, drawing: Figure, alt: str, caption: Caption) -> Image:
    return Image(name, drawn(folder, name, drawing), alt, caption)


def _checks(outcome: Outcome) -> Iterator[Checks]:
    comparison = outcome.comparison
    limits = {(trust.variant, trust.task): trust.limit for trust in outcome.trusts}
    for task, named in enumerate(comparison.tasks):
        each = {side: checks_of(comparison, side, task) for side in range(len(comparison.variants))}
        told = {side: checks for side, checks in each.items() if checks}
        if not told:
            continue  # of ADVI, or of sides that left nothing, there are none
        quantities = []
        for row in zip(*told.values(), strict=True):
            digits = _digits(min(check.mcse for check in row))
            estimates = tuple(
                Estimate(
                    fixed(check.estimate, digits),
                    fixed(check.z, 1),
                    not check.z <= (limits[side, task] or math.inf),
                )
                for side, check in zip(told, row, strict=True)
            )
            quantities.append(Quantity(row[0].name, fixed(row[0].exact, digits), estimates))
        names = tuple(comparison.variants[side].name for side in told)
        yield Checks(named.name, names, tuple(quantities))


def _digits(error: float) -> int:
    """Decimals down to a tenth of an error."""
    return min(9, max(0, 1 - math.floor(math.log10(error)))) if error > 0 else 9


def _unbroken(sentence: str) -> str:
    """No line ends within a number or its interval."""
    inside = re.sub(r"\[[^\[\]]*\]", lambda found: found[0].replace(" ", "\u00a0"), sentence)
    return re.sub(r"(?<=\d) %", "\u00a0%", inside)

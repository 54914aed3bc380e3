"""With more than two variants: which of the steps between them carries the change."""

from collections.abc import Iterator, Sequence

from gmixbench.report.comparison.findings import size, title
from gmixbench.report.numbers import listing
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome
from gmixbench.ruler.dependencies import changed


def step(comparison: Comparison, pair: tuple[int, int]) -> str:
    """What made one variant another: the versions that differ, or their names where none do."""
    old, new = (comparison.variants[side] for side in pair)
    news = changed(old.packages, new.packages)
    return listing(news) if news else f"{old.name} → {new.name}"


def carried(outcome: Outcome, whole: Finding) -> Iterator[str]:
    """A sentence on which steps carry a change, or cancel each other; none where nothing moved."""
    comparison = outcome.comparison
    parts = [
        each
        for each in outcome.findings
        if each.pair in comparison.pairs[1:]
        and (each.task, each.metric) == (whole.task, whole.metric)
    ]
    if not whole.moved:
        some = [each for each in parts if each.moved]
        if some:
            yield f"By step, {title(whole.metric)}: {_listed(comparison, some)}"
        return
    with_it = [each for each in parts if each.verdict == whole.verdict]
    against = [each for each in parts if each.moved and each.verdict != whole.verdict]
    missing = len(comparison.pairs) - 1 - len(parts)
    if with_it:
        said = [_carrying(comparison, whole, with_it)]
    else:
        name = f"{title(whole.metric)} {size(whole)}"
        lead = f"No single step carries {name} by itself"
        lead = f"Which step carries {name} is open" if missing else lead
        said = [f"{lead}: {_listed(comparison, parts)}" if parts else lead]
    if against:
        said.append(f"against it: {_listed(comparison, against)}")
    if missing:
        said.append(f"{missing} of {missing + len(parts)} steps could not be judged")
    yield "; ".join(said)


def _carrying(comparison: Comparison, whole: Finding, with_it: Sequence[Finding]) -> str:
    names = listing([step(comparison, each.pair) for each in with_it])
    sizes = listing([size(each) for each in with_it])
    verb = "carries" if len(with_it) == 1 else "carry"
    return f"{names} {verb} it: {title(whole.metric)} {sizes} of {size(whole)}"


def _listed(comparison: Comparison, some: Sequence[Finding]) -> str:
    return ", ".join(f"{step(comparison, each.pair)} {size(each)}" for each in some)

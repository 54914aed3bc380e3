"""A comparison as Markdown, for a pull request: the verdict in sight, the rest folded away."""

from collections.abc import Iterator

from gmixbench.report.comparison.rows import Section, answers, sections
from gmixbench.report.comparison.words import differences, headline, sentences
from gmixbench.report.markdown import row, text
from gmixbench.ruler.comparison.nouns import Outcome


def comparison_markdown(outcome: Outcome) -> str:
    """A page whose first line is the verdict."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    comparison = outcome.comparison
    first, last = comparison.variants[0].name, comparison.variants[-1].name
    yield f"## gmixbench: {outcome.verdict}"
    yield from ("", f"{text(headline(outcome))} ({text(last)} against {text(first)}).")
    yield ""
    yield from (f"- {text(said)}" for said in sentences(outcome))
    yield from ("", row(("task", "variant", "valid", "worst z", "limit", "worst in")))
    yield "|---|---|---|---:|---:|---|"
    for one in answers(outcome):
        valid = one.valid if one.valid in ("yes", "so far") else f"**{one.valid}**"
        yield row((one.task, one.variant, valid, one.z, one.limit, one.worst))
    found = [*sections(outcome)]
    for section in found:
        if not section.changed:
            yield from _table(section)
    steps = [section for section in found if section.changed]
    if steps:
        yield from ("", "<details>", "<summary>By step</summary>")
        for section in steps:
            yield from _table(section)
        yield from ("", "</details>")
    changed = differences(comparison)
    if changed:
        yield from (
            "",
            "<details>",
            f"<summary>Differs: {text(changed[0])}{_more(changed)}</summary>",
            "",
        )
        yield from (f"- {text(one)}" for one in changed)
        yield from ("", "</details>")
    else:
        yield from ("", "No locked version differs.")


def _table(section: Section) -> Iterator[str]:
    by = f" ({section.changed})" if section.changed else ""
    yield from ("", f"### {text(f'{section.task}: {section.old} → {section.new}{by}')}", "")
    yield row(("metric", "old", "new", "change", "band", "verdict", "blocks"))
    yield "|---|---:|---:|---|---:|---|---:|"
    for one in section.rows:
        remark = f" ({one.remark})" if one.remark else ""
        said = f"{one.symbol} {one.verdict}{remark}"
        yield row((one.metric, one.old, one.new, one.change, one.band, said, one.blocks))


def _more(changed: tuple[str, ...]) -> str:
    return f" and {len(changed) - 1} more" if len(changed) > 1 else ""

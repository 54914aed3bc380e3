"""The gate's answer as Markdown, for a pull request or a job's summary."""

from collections.abc import Iterator, Sequence

from gmixbench.report.gate_words import change, grounds, headline, tally
from gmixbench.report.markdown import row, text
from gmixbench.report.verdicts import value
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.sides import label


def gate_markdown(outcome: Outcome) -> str:
    """A page: what matters in sight, every metric folded away."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f"## gmixbench: {outcome.verdict}"
    yield ""
    yield f"{text(headline(outcome))} ({text(outcome.new)} against {text(outcome.baseline)})."
    if outcome.faults:
        yield from ("", "| side | case | why |", "|---|---|---|")
        for fault in outcome.faults:
            yield row((fault.side, label(fault.key), fault.message))
    for word in ("regressed", "improved"):
        some = [one for one in outcome.judgements if one.verdict == word]
        yield from _table(word, some)
    yield from _table("no answer", outcome.unanswered)
    for line in filter(None, (outcome.refused, *outcome.notes)):
        yield from ("", text(line))
    if outcome.changed:
        yield from ("", text("Changed: " + ", ".join(outcome.changed)))
    if outcome.judgements:
        yield from ("", "<details>", f"<summary>All metrics: {tally(outcome)}</summary>")
        yield from _table("", outcome.judgements)
        yield from ("", "</details>")


def _table(title: str, judgements: Sequence[Judgement]) -> Iterator[str]:
    if not judgements:
        return
    if title:
        yield from ("", f"### {title[0].upper()}{title[1:]}")
    headings = ("verdict", "case", "metric", "baseline", "new", "change, 90 %", "from")
    yield from ("", row(headings), "|---|---|---|---:|---:|---|---|")
    for one in judgements:
        yield row(
            (
                one.verdict,
                label(one.key),
                one.metric,
                value(one.metric, one.baseline),
                value(one.metric, one.new),
                change(one),
                grounds(one),
            )
        )

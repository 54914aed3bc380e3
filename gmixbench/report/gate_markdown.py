"""The gate's answer as Markdown, for a pull request or a job's summary."""

import html
from collections.abc import Iterator, Sequence

from gmixbench.report.gate_words import change, grounds, headline, tally, value
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.sides import label


def gate_markdown(outcome: Outcome) -> str:
    """A page: what matters in sight, every metric folded away."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f"## gmixbench: {outcome.verdict}"
    yield ""
    yield f"{_text(headline(outcome))} ({_text(outcome.new)} against {_text(outcome.baseline)})."
    if outcome.faults:
        yield from ("", "| side | case | why |", "|---|---|---|")
        for fault in outcome.faults:
            yield _row((fault.side, label(fault.key), fault.message))
    for word in ("regressed", "improved"):
        some = [one for one in outcome.judgements if one.verdict == word]
        yield from _table(word, some)
    yield from _table("no answer", outcome.unanswered)
    for line in filter(None, (outcome.refused, *outcome.notes)):
        yield from ("", _text(line))
    if outcome.changed:
        yield from ("", _text("Changed: " + ", ".join(outcome.changed)))
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
    yield from ("", _row(headings), "|---|---|---|---:|---:|---|---|")
    for one in judgements:
        yield _row(
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


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_text(cell).replace("|", "\\|") for cell in cells) + " |"


def _text(text: str) -> str:
    # What a library said in an error is anyone's text: no line break, no markup, nobody's name.
    return html.escape(" ".join(text.split()), quote=False).replace("@", "@\u200b")

"""A change that is measured twice, with other seeds: told only where both agree."""

from dataclasses import replace

from gmixbench.ruler.comparison.nouns import Finding, Outcome, Trust


def confirmed(first: Outcome, second: Outcome) -> Outcome:
    """First outcome, with each change that the second does not find called inconclusive.

    Each finds a change that is not there with probability alpha; both together by its square.
    """
    again = {(each.pair, each.task, each.metric): each for each in second.findings}
    findings = tuple(
        _held(each, again.get((each.pair, each.task, each.metric))) for each in first.findings
    )
    trusts = tuple(_both(*each) for each in zip(first.trusts, second.trusts, strict=True))
    return replace(first, findings=findings, trusts=trusts)


def _held(first: Finding, second: Finding | None) -> Finding:
    if first.verdict not in ("improved", "regressed"):
        return first
    if second is not None and second.verdict == first.verdict:
        return replace(first, remark="confirmed with other seeds")
    again = "not told" if second is None else second.verdict
    return replace(
        first,
        verdict="inconclusive",
        remark=f"{first.verdict} at first, and {again} with other seeds",
    )


def _both(first: Trust, second: Trust) -> Trust:
    return replace(first, reasons=(*first.reasons, *second.reasons))

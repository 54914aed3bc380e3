"""A change that is measured twice, with other seeds: told only where both agree."""

from dataclasses import replace

from gmixbench.ruler.comparison.nouns import Finding, Outcome, Trust


def settled(first: Outcome, second: Outcome) -> bool:
    """Whether the second has an answer for each change of the first: then both can be joined.

    That the second has all that must have an answer is not enough: a change may be of a metric that
    few blocks tell. Of a step that the second can't tell no answer is waited for.
    """
    told = {_key(each) for each in second.findings if each.verdict != "inconclusive"}
    dropped = second.comparison.dropped
    return all(
        _key(each) in told
        for each in first.findings
        if each.moved and dropped.isdisjoint(each.pair)
    )


def confirmed(first: Outcome, second: Outcome) -> Outcome:
    """First outcome, with each change that the second does not find called inconclusive.

    Each finds a change that is not there with probability alpha; both together by its square.
    What is wrong in either shows no speed.
    """
    again = {_key(each): each for each in second.findings}
    trusts = tuple(_both(*each) for each in zip(first.trusts, second.trusts, strict=True))
    wrong = {(each.variant, each.task) for each in trusts if not each.valid}
    findings = tuple(
        _held(each, again.get(_key(each)))
        for each in first.findings
        if not wrong & {(side, each.task) for side in each.pair}
    )
    return replace(first, findings=findings, trusts=trusts)


def _key(finding: Finding) -> tuple[tuple[int, int], int, str]:
    return finding.pair, finding.task, finding.metric


def _held(first: Finding, second: Finding | None) -> Finding:
    if not first.moved:
        return first
    if second is not None and second.verdict == first.verdict:
        known = [first.remark] if first.remark else []
        told = "; ".join([*known, "confirmed with other seeds"])
        return replace(first, remark=told, confirmed=True)
    again = "not told" if second is None else second.verdict
    return replace(
        first,
        verdict="inconclusive",
        remark=f"{first.verdict} at first, and {again} with other seeds",
        confirmed=False,
    )


def _both(first: Trust, second: Trust) -> Trust:
    reasons = tuple(dict.fromkeys((*first.reasons, *second.reasons)))
    return replace(first, reasons=reasons, wrong=first.wrong or second.wrong)

"""What the gate says, in the words and numbers that the terminal and the files share."""

from collections.abc import Iterable

from gmixbench.report import verdicts
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome

ENOUGH = 7
"""Rounds a side for which the gate's power is known, see `ruler.contrasts`."""


def headline(outcome: Outcome) -> str:
    """Verdict on the whole, in one sentence."""
    count = len(outcome.judgements)
    if outcome.verdict == "regressed":
        found = f"{len(outcome.regressed)} of {count} metrics got worse"
        return found + (f"; {_faults(outcome)}" if outcome.faults else "")
    if outcome.faults:
        return _faults(outcome)
    if not count:
        return "nothing could be judged"
    if outcome.unanswered:
        many = len(outcome.unanswered)
        found = f"{many} of {count} metrics may have become much worse"
        return f"{found}: {_way_out(outcome.unanswered)}"
    return f"none of {count} metrics got worse{_beside(outcome)}"


def tally(outcome: Outcome) -> str:
    """How many metrics got which verdict."""
    verdicts = ("regressed", "improved", "equivalent", "inconclusive")
    counts = {word: sum(one.verdict == word for one in outcome.judgements) for word in verdicts}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def change(one: Judgement) -> str:
    """By how much, with the 90 % interval."""
    return verdicts.change(one.metric, *one.change)


def grounds(one: Judgement) -> str:
    """Where the interval comes from, and what else is to be said."""
    return "; ".join(filter(None, (one.remark, one.source)))


def _way_out(unanswered: Iterable[Judgement]) -> str:
    if any(one.replicates < ENOUGH for one in unanswered):
        return f"more rounds would tell, {ENOUGH} a side"
    return "the noise is too large"


def _beside(outcome: Outcome) -> str:
    """What stands beside an answer in which all is fine."""
    count = len(outcome.paid)
    paid = f" but {count} by longer trees that pay for themselves" if count else ""
    if not outcome.refused:
        return paid
    return f"{paid}, as far as it can be judged: {outcome.refused.partition(':')[0]} (see below)"


def _faults(outcome: Outcome) -> str:
    cases = len({fault.key for fault in outcome.faults})
    return f"{cases} {'case is' if cases == 1 else 'cases are'} invalid, failed or missing"

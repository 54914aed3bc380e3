"""ESS per second, explained by its factors: what the algorithm does, and what the clock says.

ESS/s is ESS per gradient evaluation, by the seconds that a gradient evaluation takes: what carries
a change is the factor that has the same verdict. A factor that is equivalent, but within a band as
wide as that change, may still carry it: it is told by its own change.
"""

from collections.abc import Mapping, Sequence

from gmixbench.report.comparison.findings import band, change, title, told
from gmixbench.report.numbers import listing, number
from gmixbench.report.verdicts import in_times, percents
from gmixbench.ruler.comparison.nouns import Finding

FACTORS = ("seconds_per_gradient", "ess_per_gradient")


def speed(findings: Mapping[str, Finding]) -> str:
    """What became of ESS/s, and why.

    Parameters
    ----------
    findings : of one task, by metric; `ess_per_second` among them
    """
    whole = findings["ess_per_second"]
    factors = [findings[metric] for metric in FACTORS if metric in findings]
    if not whole.moved:
        open_ = whole.verdict == "inconclusive"
        shown = [each for each in factors if open_ or each.verdict != "equivalent"]
        return "; ".join([told(whole), *map(_clause, shown)])
    with_it = [each for each in factors if each.verdict == whole.verdict]
    against = [each for each in factors if each.moved and each.verdict != whole.verdict]
    rest = [each for each in factors if not each.moved]
    if not with_it:
        open_question = [f"which factor carries it is open: {_joined(factors, whole)}"]
        return "; ".join([told(whole), *(open_question if factors else [])])
    because = f"{told(whole)}, because {_joined(with_it, whole)}"
    although = [f"although {_joined(against, whole)}"] if against else []
    return "; ".join([", ".join([because, *although]), *(_part(each, whole) for each in rest)])


def _joined(factors: Sequence[Finding], whole: Finding) -> str:
    """Clauses, the larger change first."""
    by_size = sorted(factors, key=_distance, reverse=True)
    return listing([_part(each, whole) for each in by_size])


def _part(factor: Finding, whole: Finding) -> str:
    """Clause of a factor beside the change that it is to explain."""
    wide = 1 + factor.band >= _distance(whole)
    if factor.verdict == "equivalent" and wide and not factor.repeats:
        return (
            f"{title(factor.metric)} changed by {change(factor)}, within its band of {band(factor)}"
        )
    return _clause(factor)


def _distance(finding: Finding) -> float:
    ratio = finding.change.estimate
    return max(ratio, 1 / ratio)


def _clause(factor: Finding) -> str:
    return _time(factor) if factor.metric == "seconds_per_gradient" else _algorithm(factor)


def _time(factor: Finding) -> str:
    if not factor.moved:
        if factor.verdict == "equivalent":
            return f"a gradient evaluation takes as long, within {band(factor)}"
        remark = f" ({factor.remark})" if factor.remark else ""
        return f"the time of a gradient evaluation is inconclusive: {change(factor)}{remark}"
    if in_times(factor.change.estimate):
        return f"a gradient evaluation takes {_times(factor)} as long"
    longer = factor.change.estimate > 1
    return f"a gradient evaluation takes {_share(factor, 'longer' if longer else 'less time')}"


def _algorithm(factor: Finding) -> str:
    if not factor.moved:
        return told(factor)
    if in_times(factor.change.estimate):
        return f"ESS per gradient evaluation is {_times(factor)} what it was"
    higher = factor.change.estimate > 1
    return f"ESS per gradient evaluation is {_share(factor, 'higher' if higher else 'lower')}"


def _times(factor: Finding) -> str:
    estimate, low, high = map(number, _parts(factor))
    return f"{estimate} [{low}, {high}] times"


def _share(factor: Finding, word: str) -> str:
    """Without signs: the word tells the direction."""
    estimate, *bounds = (text.lstrip("−") for text in percents(*_parts(factor), sign=""))
    low, high = bounds if factor.change.estimate > 1 else reversed(bounds)
    return f"{estimate} % {word} [{low}, {high}]"


def _parts(factor: Finding) -> tuple[float, float, float]:
    return factor.change.estimate, factor.change.low, factor.change.high

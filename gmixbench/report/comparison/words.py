"""The sentences of a comparison: right or wrong first, then how much, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from gmixbench.report.comparison.factors import speed
from gmixbench.report.comparison.findings import change, title, told
from gmixbench.report.comparison.steps import carried, step
from gmixbench.report.numbers import listing
from gmixbench.ruler.comparison.judge import FARTHEST
from gmixbench.ruler.comparison.nouns import LEAST_SECONDS, Comparison, Finding, Outcome, Trust
from gmixbench.ruler.comparison.outlook import Outlook, outlook
from gmixbench.ruler.dependencies import changed

NOT_MEASURED = ("not measured",)
"""Reasons of a variant that left nothing at all."""

NOT_WRONG_YET = "nothing is known to be wrong yet"
"""What is said of both sides before there are enough draws to tell."""

NONE_IN_SIGHT = (
    f"no answer is in sight within {FARTHEST:,} blocks: the change is too near the edge of the "
    "band, or the noise too large; a wider band or a quieter machine may give one, and `gmixbench "
    "noise` tells how narrow a band this machine can answer"
)
"""What is said where a longer budget would not do."""

LEADING = (
    "ess_per_second",
    "seconds_per_gradient",
    "ess_per_gradient",
    "steps_per_second",
    "gap",
)
"""Metrics that the first sentence on a task is about."""


COUNTED = {"regressed": "got worse", "improved": "got better", "equivalent": "within their bands"}
"""What is counted; what is not decided is named."""


def headline(outcome: Outcome) -> str:
    """Verdict on the whole, in one sentence."""
    if outcome.faulted:
        return _faulted(outcome)
    right = _right(outcome)
    if outcome.verdict == "regressed":
        return f"{_counted(outcome)}; {right}"
    if outcome.verdict == "inconclusive":
        if any(each.unconfirmed for each in outcome.findings):
            return f"a change was found, and not found again with other seeds; {right}"
        return f"not enough evidence yet; {right}"
    return f"{_counted(outcome)}; {right}"


def _counted(outcome: Outcome) -> str:
    """How many metrics changed, how many did not, and those of which it is not known."""
    verdicts: Counter[str] = Counter(each.verdict for each in outcome.whole)
    (first, said), *others = (
        (verdicts[word], said) for word, said in COUNTED.items() if verdicts[word]
    )
    text = f"{first} of {len(outcome.whole)} metrics {said}"
    text += "".join(f", {count} {said}" for count, said in others)
    open_ = [each.metric for each in outcome.whole if each.verdict == "inconclusive"]
    if not open_:
        return text
    names = listing([*dict.fromkeys(map(title, open_))])
    return f"{text}; {len(open_)} not decided: {names}"


def _faulted(outcome: Outcome) -> str:
    """Which ends are wrong; where none is known to be, which can't be judged."""
    variants = outcome.comparison.variants
    wrong = [trust for trust in outcome.faulted if trust.wrong]
    names = [*dict.fromkeys(variants[trust.variant].name for trust in wrong or outcome.faulted)]
    if wrong:
        return f"{listing(names)} {'is' if len(names) == 1 else 'are'} invalid"
    if all(trust.reasons == NOT_MEASURED for trust in outcome.faulted):
        return f"{listing(names)} left nothing to judge"
    return f"{listing(names)} could not be judged"


def _right(outcome: Outcome) -> str:
    """Which sides are right: of draws that is not known before the first look."""
    if not outcome.looks:
        return NOT_WRONG_YET
    several = len(outcome.comparison.variants) > 2
    every = several and all(trust.valid for trust in outcome.trusts)
    return f"right on {'all' if every else 'both'} sides"


def sentences(outcome: Outcome) -> tuple[str, ...]:
    """What a comparison says, task by task; then what is still open."""
    tasks = range(len(outcome.comparison.tasks))
    return (
        *(text for task in tasks for text in _task(outcome, task)),
        *_open(outcome.comparison, outlook(outcome)),
    )


def differences(comparison: Comparison) -> tuple[str, ...]:
    """What differs between the first variant and the last: versions, or else the backend alone."""
    first, last = comparison.variants[0], comparison.variants[-1]
    versions = changed(first.packages, last.packages)
    if not versions and first.backend != last.backend:
        return (f"backend {first.backend} → {last.backend}, in one environment",)
    return versions


def told_apart(comparison: Comparison) -> str:
    """How the library's part in a change is told from the others'; "" where that is no question."""
    if len(comparison.variants) > 2 or len(differences(comparison)) < 2:
        return ""
    if comparison.variants[-1].held:
        return (
            "Dependencies are held: what differs besides moved with the library, which does not go "
            "with the old versions; --attribute tells their parts apart."
        )
    return "--hold-dependencies or --attribute tells the library's part from the others."


def duration(seconds: float) -> str:
    """So much more time, as a person would say it."""
    if seconds < 90:
        return f"{seconds:.0f} more seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} more minutes"
    return f"{seconds / 3600:.1f} more hours"


def _task(outcome: Outcome, task: int) -> Iterator[str]:
    comparison = outcome.comparison
    several = len(comparison.tasks) > 1
    where = f"{comparison.tasks[task].name}: " if several else ""
    wrong = [trust for trust in outcome.trusts if trust.task == task and not trust.valid]
    for trust in wrong:
        yield f"{where}{_wrong(comparison, trust)}."  # a name keeps its case
    whole = {each.metric: each for each in outcome.whole if each.task == task}
    if not whole:
        if not wrong:
            yield _sentence(where, "nothing to compare yet: no block is whole")
        return
    yield _sentence(where, "; ".join(_first(outcome, task, whole)))
    yield from (f"{where}{text}." for text in _short(comparison, task))  # a name keeps its case
    yield from (_sentence(where, text) for text in _rest(whole))
    if len(comparison.variants) > 2:
        for finding in _asked_first(whole):
            for text in carried(outcome, finding):
                yield f"{where}{text}."


def _short(comparison: Comparison, task: int) -> Iterator[str]:
    """What sampled for less than it was to, at the median of its processes."""
    rows = [each for each in comparison.whole_blocks if each.task == task]
    nuts = comparison.tasks[task].method == "nuts"
    for variant, named in enumerate(comparison.variants):
        told = [
            each.metrics.get("sample_s" if nuts else "fit_s")
            for each in rows
            if each.variant == variant
        ]
        taken = [seconds for seconds in told if seconds is not None]
        if taken and round(median(taken), 1) < LEAST_SECONDS:
            yield (
                f"{named.name} {'sampled' if nuts else 'fitted'} for {median(taken):.1f} s a "
                f"process at the median, not for {LEAST_SECONDS:g} s: more noise than need be"
            )


def _wrong(comparison: Comparison, trust: Trust) -> str:
    name = comparison.variants[trust.variant].name
    end = trust.variant in comparison.ends
    shown = "no speed is shown" if end else "the steps to it and from it are left out"
    if trust.reasons == NOT_MEASURED:
        return f"{name} was not measured: {shown}"
    word = "is invalid" if trust.wrong else "could not be judged"
    return f"{name} {word}: {'; '.join(trust.reasons)}: {shown}"


def _first(outcome: Outcome, task: int, whole: dict[str, Finding]) -> Iterator[str]:
    comparison = outcome.comparison
    same = (comparison.pairs[0], task) in outcome.same_draws
    if comparison.tasks[task].method != "nuts":
        yield from (told(whole[metric]) for metric in LEADING if metric in whole)
        yield "valid on both sides" if outcome.looks else NOT_WRONG_YET
        if same:
            yield "the fits are the same, draw by draw"
        return
    # Of the same trees it need not be said that ESS per gradient evaluation is the same.
    known = {name: each for name, each in whole.items() if not (same and each.repeats)}
    if "ess_per_second" in known:
        yield speed(known)
    else:
        yield from (told(known[metric]) for metric in LEADING if metric in known)
    yield "the answer is right on both sides" if outcome.looks else NOT_WRONG_YET
    if same:
        yield "the trees are the same, draw by draw"


def _rest(whole: dict[str, Finding]) -> Iterator[str]:
    """What moved besides what the first sentence is about."""
    for word in ("regressed", "improved"):
        moved = [each for each in whole.values() if each.verdict == word]
        some = [f"{title(each.metric)} {change(each)}" for each in moved if not _leads(each)]
        if some:
            told = f"{word}: {', '.join(some)}"
            # "Also" needs something before it that went the same way.
            yield f"also {told}" if any(map(_leads, moved)) else told


def _leads(finding: Finding) -> bool:
    return finding.metric in LEADING


def _asked_first(whole: dict[str, Finding]) -> Sequence[Finding]:
    """Findings whose steps are told: the factors, or else the whole that they explain."""
    asked = [each for each in whole.values() if each.asked]
    led = [whole[metric] for metric in LEADING if metric in whole]
    return (
        asked
        if any(each.moved for each in asked)
        else [*asked, *(each for each in led if each.moved)]
    )


def _open(comparison: Comparison, found: Outlook) -> Iterator[str]:
    if found.open:
        names = listing([*_named(comparison, found.open)])
        blocks = f"{found.blocks} more block{'' if found.blocks == 1 else 's'}"
        yield (
            f"Not enough evidence yet for {names}: about {blocks} would do "
            f"({duration(found.seconds)})."
        )
    if found.hopeless:
        yield f"For {listing([*_named(comparison, found.hopeless)])} {NONE_IN_SIGHT}."


def _named(comparison: Comparison, some: Sequence[Finding]) -> Iterator[str]:
    """Each metric, with its tasks where there are several, and its steps."""
    for metric in dict.fromkeys(each.metric for each in some):
        where = [_where(comparison, each) for each in some if each.metric == metric]
        told = [place or "as a whole" for place in where] if any(where) else []
        yield f"{title(metric)} ({'; '.join(told)})" if told else title(metric)


def _where(comparison: Comparison, finding: Finding) -> str:
    task = [comparison.tasks[finding.task].name] if len(comparison.tasks) > 1 else []
    by = [step(comparison, finding.pair)] if finding.pair != comparison.pairs[0] else []
    return ": ".join([*task, *by])


def _sentence(where: str, text: str) -> str:
    return f"{where}{text}." if where else f"{text[0].upper()}{text[1:]}."

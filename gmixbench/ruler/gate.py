"""The gate: something new held against a baseline, case by case.

What is invalid, failed or missing is named first; then every metric that both sides tell is judged,
by what `ruler.tolerances` knows of it.

Longer trees that pay for themselves are no regression: what gets slower by their length alone is
shown as worse, and does not fail where it is `paid` for. That is where a case takes more gradients
while sampling, none of its `FACTORS` regressed, and what a user gains, by `PAID_BY`, is known to
be as good as before or better: no answer pays for nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gmixbench.ruler.believed import SPARE, Fault, believe, needed
from gmixbench.ruler.compare import LEAST
from gmixbench.ruler.contrasts import Contrast, Judgement, Values, contrast, judgements, values
from gmixbench.ruler.sides import Key, Replicate, Side, label
from gmixbench.ruler.tolerances import MIXING, TOLERANCES, Tolerance

Cases = Mapping[Key, Sequence[Replicate]]

LENGTH = "gradients_sample"
"""What tells that trees got longer."""

FACTORS = ("seconds_per_gradient", "ess_per_gradient")
"""What must not have got worse where longer trees are to pay for themselves."""

PAID_BY = {
    LENGTH: "ess_per_gradient",
    "draws_per_second": "ess_per_second",
    "sample_s": "ess_per_second",
    "gradients_warmup": "time_to_ess_1000",
    "warmup_s": "time_to_ess_1000",
    "total_s": "time_to_ess_1000",
    "cpu_s": "time_to_ess_1000",
}
"""What longer trees make worse, and by what that is outweighed."""


@dataclass(frozen=True)
class Outcome:
    """All that a gate says.

    `changed` tells what else differs between the sides, "numpy 1.26.4 → 2.1.3"; `refused` why
    timings were not judged, where they were not.
    """

    baseline: str
    new: str
    judgements: tuple[Judgement, ...]
    faults: tuple[Fault, ...]
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def verdict(self) -> Literal["regressed", "not measured", "inconclusive", "fine"]:
        """Verdict on the whole.

        A regression comes before what could not be measured: it is shown, and stands whatever
        becomes of another case; and both fail. Nothing judged is not measured.
        """
        if self.regressed:
            return "regressed"
        if self.faults or not self.judgements:
            return "not measured"
        return "inconclusive" if self.unanswered else "fine"

    @property
    def regressed(self) -> tuple[Judgement, ...]:
        """What got worse, beyond chance and beyond its band, and is not paid for."""
        return tuple(one for one in self.judgements if one.verdict == "regressed" and not one.paid)

    @property
    def paid(self) -> tuple[Judgement, ...]:
        """What got worse by longer trees that pay for themselves."""
        return tuple(one for one in self.judgements if one.paid)

    @property
    def unanswered(self) -> tuple[Judgement, ...]:
        """What there must be an answer for, and is none: it may have become much worse."""
        return tuple(one for one in self.judgements if one.worrying and one.asked)


def judge(
    baseline: Side, new: Side, *, across_machines: bool = False, band: float | None = None
) -> Outcome:
    """Judge what is new by a baseline.

    Parameters
    ----------
    across_machines : whether timings of different machines are evidence
    band : share within which timings are equivalent; that of the table unless given
    """
    olds, news = _paired_by(baseline, new)
    same = across_machines or (len(baseline.machines) == 1 and baseline.machines == new.machines)
    found = [_case(key, olds[key], news[key], same, band) for key in news if key in olds]
    notes = [*dict.fromkeys((*baseline.notes, *new.notes))]
    notes += [note for case in found for note in case.notes]
    strangers = max(baseline.strangers, new.strangers)
    if strangers:
        notes.append(f"{strangers} benchmarks that the gate does not know: not judged")
    refused = sum(case.refused for case in found)
    return Outcome(
        baseline=baseline.name,
        new=new.name,
        judgements=tuple(_settled(judgements([one for case in found for one in case.contrasts]))),
        faults=(*_missing(olds, news), *(fault for case in found for fault in case.faults)),
        changed=tuple(_changed(baseline.versions, new.versions)),
        notes=tuple(notes),
        refused=_refusal(baseline, new, refused) if refused else "",
    )


def unfit(side: Side) -> list[Fault]:
    """What keeps results from being a baseline: a case that must be right, and is not."""
    found = (believe(key, "NEW", some).fault for key, some in side.cases.items() if needed(key))
    return [fault for fault in found if fault]


def _paired_by(baseline: Side, new: Side) -> tuple[Cases, Cases]:
    """Cases of both sides by what pairs them: the stack only where a side has several of a case.

    So a release may be judged by the one before it, and a file with many stacks stack by stack.
    """

    def bare(key: Key) -> Key:
        return replace(key, stack="")

    counts = [Counter(map(bare, side.cases)) for side in (baseline, new)]
    several = {key for count in counts for key, number in count.items() if number > 1}

    def cases(side: Side) -> Cases:
        return {
            key if bare(key) in several else bare(key): found for key, found in side.cases.items()
        }

    return cases(baseline), cases(new)


def _missing(olds: Cases, news: Cases) -> Iterator[Fault]:
    for side, here, there in (("NEW", olds, news), ("BASELINE", news, olds)):
        others = {replace(key, settings=""): key for key in there}
        for key in (key for key in here if key not in there):
            other = others.get(replace(key, settings=""))
            if other is None:
                yield Fault(key, side, "is missing")
            else:
                yield Fault(
                    key, side, f"is of other settings: {other.settings}, not {key.settings}"
                )


@dataclass(frozen=True)
class _Case:
    """What one case comes to; `refused` counts timings that are no evidence."""

    contrasts: Sequence[Contrast] = ()
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    refused: int = 0


def _case(
    key: Key, olds: Sequence[Replicate], news: Sequence[Replicate], same: bool, band: float | None
) -> _Case:
    before, after = believe(key, "BASELINE", olds), believe(key, "NEW", news)
    spared = before.fault is not None and not needed(key)
    if spared and not after.wrong:
        why = before.fault.message if before.fault else ""
        return _Case(notes=[f"{label(key)}: not judged, the baseline is invalid: {why}"])
    sides = (after,) if spared else (before, after)
    faults = [side.fault for side in sides if side.fault]
    if faults:
        return _Case(faults=faults)
    contrasts, lottery, refused = list[Contrast](), list[str](), 0
    notes = [side.note for side in (before, after) if side.note]
    for tolerance in TOLERANCES.values():
        old, new = (values(tolerance.metric, side.runs) for side in (before, after))
        lost = _lost(tolerance.metric, len(before.runs) - len(old), len(new), len(after.runs))
        if old and lost:
            faults.append(Fault(key, "NEW", lost))
        numbers = [value for _, value in (*old, *new)]
        if not old or not new or lost:
            continue
        if tolerance.scale == "ratio" and max(numbers) <= tolerance.negligible:
            continue
        if _lottery(tolerance, key, before.runs):
            lottery.append(tolerance.metric)
        elif tolerance.machine and not same:
            refused += 1
        else:
            width = tolerance.band if band is None or not tolerance.machine else band
            row = replace(tolerance, band=width)
            found = _contrasted(key, row, (old, new), (*before.left, *after.left))
            contrasts += found.contrasts
            faults += found.faults
            notes += found.notes
    if lottery:
        told = ", ".join(lottery)
        notes.append(f"{label(key)}: {told} not judged, the baseline's chains do not mix")
    return _Case(contrasts, faults, notes, refused)


def _lost(metric: str, before: int, told: int, count: int) -> str:
    """Why a metric is lost on the new side, of which some runs tell it; empty where it is not.

    Parameters
    ----------
    before : runs of the baseline that don't tell it
    told, count : runs of the new side that do, and all
    """
    if not told:
        return f"{metric} is not told any more"
    if count - told > before + (SPARE if told >= LEAST else 0):
        return f"{metric} is told by {told} of {count} runs, of the baseline's by all but {before}"
    return ""


def _contrasted(
    key: Key, tolerance: Tolerance, sides: tuple[Values, Values], left: Sequence[Replicate]
) -> _Case:
    """Contrast of two sides; of a ratio, a single zero among others is left out as by chance."""
    if tolerance.scale != "ratio":
        return _Case([contrast(key, tolerance, *sides, left)])
    faults, notes, zeros = list[Fault](), list[str](), list[Replicate]()
    for side, some in zip(("BASELINE", "NEW"), sides, strict=True):
        found = [one for one, value in some if value <= 0]
        why = f"{tolerance.metric} is zero in {len(found)} of {len(some)} runs"
        if len(found) > SPARE or (found and len(some) - len(found) < LEAST):
            faults.append(Fault(key, side, f"{why}, and zero has no ratio"))
        elif found:
            notes.append(f"{label(key)}: left out of {side}, {why}, and zero has no ratio")
        zeros += found
    if faults:
        return _Case(faults=faults)
    old, new = ([(one, value) for one, value in some if value > 0] for some in sides)
    return _Case([contrast(key, tolerance, old, new, (*left, *zeros))], notes=notes)


def _settled(found: Sequence[Judgement]) -> Iterator[Judgement]:
    """Judgements, with what longer trees made worse and pay for marked as such."""
    cases = dict[Key, dict[str, str]]()
    for one in found:
        cases.setdefault(one.key, {})[one.metric] = one.verdict
    for one in found:
        if one.verdict == "regressed" and _pays(cases[one.key], PAID_BY.get(one.metric, "")):
            remark = f"longer trees, paid for by {PAID_BY[one.metric]}"
            yield replace(one, paid=True, remark=remark)
        else:
            yield one


def _pays(said: Mapping[str, str], payer: str) -> bool:
    if said.get(LENGTH) != "regressed" or "regressed" in map(said.get, FACTORS):
        return False
    return said.get(payer) in ("improved", "equivalent")


def _lottery(tolerance: Tolerance, key: Key, old: Sequence[Replicate]) -> bool:
    if not tolerance.mixing or key.model != "unordered":
        return False
    errors = [one.metrics.get("occupancy_error") for one in old]
    return any(error is None or error > MIXING for error in errors)


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, "none"), new.get(name, "none")
        if before != after:
            yield f"{name} {before} → {after}"


def _refusal(baseline: Side, new: Side, count: int) -> str:
    sides = [" and ".join(side.machines) or "an unknown machine" for side in (baseline, new)]
    return (
        f"{count} timings are no evidence: BASELINE was measured on {sides[0]}, NEW on {sides[1]}; "
        "--across-machines judges them all the same"
    )

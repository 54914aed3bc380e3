"""Which runs of a case the gate believes.

A right sampler is called invalid now and then: by the bias checks once in a thousand runs at the
most, and where chains were slow for want of evidence. So one such run of a case is left out, and
told, where enough others remain. Two are a fault: of seven runs chance makes two biased once in
50,000 gates. And so is a single one with any other fault, a wrong density, a crash or a run that
left nothing, for there is no chance in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gmixbench.ruler.compare import LEAST
from gmixbench.ruler.sides import Key, Replicate, label
from gmixbench.ruler.verdict import by_chance, thin

SPARE = 1
"""Runs of a case that may be invalid by chance, where `LEAST` others remain."""


@dataclass(frozen=True)
class Fault:
    """What could not be judged because it is invalid, failed or missing, and on which side."""

    key: Key
    side: str
    message: str


@dataclass(frozen=True)
class Believed:
    """Runs of a case on one side, with a note of what was left out; none where it is at fault.

    `wrong` tells that the fault is more than too little evidence.
    """

    runs: Sequence[Replicate] = ()
    note: str = ""
    fault: Fault | None = None
    left: Sequence[Replicate] = ()
    wrong: bool = False


def believe(key: Key, side: str, replicates: Sequence[Replicate]) -> Believed:
    """Tell the runs that may be judged from those that may not."""
    bad = [one for one in replicates if one.faults]
    good = [one for one in replicates if not one.faults]
    if not bad:
        return Believed(good)
    certain = [one for one in bad if not by_chance(one.faults)]
    count = f"{len(bad)} of {len(replicates)} runs: " if len(replicates) > 1 else ""
    message = count + "; ".join((certain or bad)[0].faults)
    if certain or len(bad) > SPARE or len(good) < LEAST:
        biased = [one for one in bad if not thin(one.faults)]
        wrong = bool(certain) or len(biased) > SPARE
        return Believed(fault=Fault(key, side, message), wrong=wrong)
    return Believed(good, f"{label(key)}: left out of {side}, {message}", left=bad)


def needed(key: Key) -> bool:
    """Whether a baseline must be right there, as `gmixbench run` has it."""
    # Of the others some are now and then without enough evidence.
    return key.model == "ordered" or key.method not in ("nuts", "advi-library")

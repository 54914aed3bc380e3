"""What issue and design ask of `compare`, and whether it holds."""

from collections.abc import Callable, Sequence

from long import ESS, FAULTS, Long, Trial
from shares import Share, share
from short import CHANGED, CLOCK, RUN, Answered, Short, too_noisy
from told import table

WORTH = 0.05
"""Effect that comparisons with a higher floor must leave open."""


def asked(short: Short, long: Long) -> str:
    """Section with a line for each demand."""
    again, five, ten, ten_wide, sticky = long.trials
    names = [fault.name for fault in FAULTS]
    open_ = too_noisy(short, WORTH)
    lines = (
        ("equal sides, real: any metric changed", "≤ 1 %", _any_real(short.equal), _most(0.01)),
        ("the same with no band", "≤ 1 %", _any_real(short.bare), _most(0.01)),
        (f"{RUN} of them as one, no band", "≤ 1 %", _any_real(short.runs), _most(0.01)),
        (f"{names[0]}, resampled: any metric changed", "≤ 1 %", _any(again), _most(0.01)),
        (f"{names[1]}, resampled: regressed", "≥ 90 %", _regressed(five), _least(0.9)),
        (f"{names[2]}, resampled: regressed", "≥ 99 %", _regressed(ten), _least(0.99)),
        (f"{names[3]}, resampled: regressed", "shown", _regressed(ten_wide), lambda _: "–"),
        (f"{names[4]}, resampled: right factor", "found", _attributed(sticky), _least(0.9)),
        (
            "floor above a change of 5 %: inconclusive",
            "shown",
            share(each == "inconclusive" for each in open_),
            lambda _: "–",
        ),
        (
            "the same: equivalent or improved, which is wrong",
            "never",
            share(each in ("equivalent", "improved") for each in open_),
            _most(0.01),
        ),
    )
    told = (
        (what, limit, str(found), _resampled(word(found)) if "resampled" in what else word(found))
        for what, limit, found, word in lines
    )
    return f"""## What was asked, and what came out

{table(("asked", "limit", "found", "so it"), told)}

It *holds* or *fails* where the whole interval lies on one side of the limit ("found" stands for
90 %, "never" for 1 %), else it is *open*. Short blocks are so noisy that with a band hardly
anything could be called changed: what is evidence of false alarms are the rows with no band.
*Right factor*: ESS per gradient evaluation regressed, and seconds per gradient evaluation not
changed. The floor is that of the comparison before; where it is above the change that is there, the
answer should be inconclusive. "Regressed" is right all the same: the change is there. Intervals of
resampled shares are those of the resampling alone. The {len(long.blocks)} blocks from which all is
drawn are one sample, and it is of these that a demand *holds (resampled)*."""


def _any_real(comparisons: Sequence[Answered]) -> Share:
    return share(each.changed for each in comparisons)


def _resampled(word: str) -> str:
    return word if word == "–" else f"{word} (resampled)"


def _any(trials: Sequence[Trial]) -> Share:
    return share(bool({*CHANGED} & {*each.verdicts.values()}) for each in trials)


def _regressed(trials: Sequence[Trial]) -> Share:
    return share(each.verdicts[CLOCK] == "regressed" for each in trials)


def _attributed(trials: Sequence[Trial]) -> Share:
    return share(
        each.verdicts[ESS] == "regressed" and each.verdicts[CLOCK] not in CHANGED for each in trials
    )


def _most(limit: float) -> Callable[[Share], str]:
    def word(found: Share) -> str:
        low, high = found.interval
        return "holds" if high <= limit else "fails" if low > limit else "open"

    return word


def _least(limit: float) -> Callable[[Share], str]:
    def word(found: Share) -> str:
        low, high = found.interval
        return "holds" if low >= limit else "fails" if high < limit else "open"

    return word

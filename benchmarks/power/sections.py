"""The sections of the page that show every number."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median

import numpy as np
from blocks import METRICS, log_ratios, processes
from long import ASKED, BUDGET, ESS, FAULTS, STRETCH, Fault, Long, Trial
from measure import LONG, SHORT
from rules import RULES
from scipy.stats import binom
from shares import Share, share
from short import BAND, CHANGED, CLOCK, EFFECTS, PAIR, RUN, Short, p_values, too_noisy
from told import size, spread, table, turned, verdict

from gmixbench.ruler.compare import Verdict
from gmixbench.ruler.comparison.looks import looks

VERDICTS: tuple[Verdict, ...] = ("regressed", "improved", "equivalent", "inconclusive")

ALARM = 0.05
"""Level of the plain test, at which there are enough alarms to count."""


def equal(short: Short) -> str:
    """Equal sides in short blocks."""
    count = len(short.groups[0])
    blocks = [block for group in short.groups for block in group]
    load = np.quantile([each.load for each in processes(blocks)], [0.05, 0.5, 0.95])
    head = (*("metric", *VERDICTS), "changed, no band", "p ≤ 5 %")
    return f"""## Equal sides: real comparisons

Of {short.measured} comparisons {len(short.groups)} were measured without a failure. Each has
{count} consecutive blocks of its own, and no process is in two comparisons. A block has both sides
under one seed, with {SHORT.draws:,} draws a chain: some 0.2 s of sampling where `compare` takes
2 s, so these are noisier. Which process of a block is called old, which is free where both are
alike, is chosen so that the orders are those of `compare`, every second one turned round. {count}
blocks are one look, which may spend half of alpha, 0.5 %.

- With a band of {100 * BAND:.0f} %, any metric is called changed in
  {share(each.changed for each in short.equal)}. In so much noise it could hardly be.
- With no band, where each change is a false alarm of the statistics themselves, in
  {share(each.changed for each in short.bare)}.
- With no band and {RUN} neighbours as one comparison of {RUN * count} blocks, which has
  {len(looks(RUN * count))} looks, at any of them in {share(each.changed for each in short.runs)}.

{table(head, (_row(short, metric) for metric in METRICS))}

The last column has no looks, no Holm and no band in it: the share of comparisons in which the
two-sided signed-rank test of no change gives 5 % or less. Where chance alone is at work it is 5 %
at the most, and this is what the statistics could fail. {_largest(short)} Compilation caches were
warm.

The noise of one block: {spread(log_ratios(blocks, PAIR, CLOCK))} Of two blocks that turn one
order round it is {turned(log_ratios(group, PAIR, CLOCK) for group in short.groups)}: were it above
0, signs would not be as independent as the test takes them to be. Load averages as the processes
began: {load[0]:.1f} to {load[2]:.1f} in nine of ten, median {load[1]:.1f}."""


def _largest(short: Short) -> str:
    """Whether the largest of the shares with p <= 5 % is more than the luck of so many."""
    some = {metric: p_values(short.groups, metric) for metric in METRICS}
    found = {metric: share(p <= ALARM) for metric, p in some.items() if len(p)}
    worst = max(found, key=lambda metric: found[metric].share)
    count, total = found[worst].count, found[worst].total
    luck = min(1.0, len(found) * binom.sf(count - 1, total, ALARM))
    return (
        f"The largest is that of {worst}: of {len(found)} metrics chance lets one come to so much "
        f"in at most {100 * luck:.0f} % of campaigns (Bonferroni)."
    )


def _row(short: Short, metric: str) -> tuple[str, ...]:
    told = [each.verdicts.get(metric) for each in short.equal]
    p = p_values(short.groups, metric)
    return (
        metric,
        *(str(told.count(word)) for word in VERDICTS),
        str(sum(each.verdicts.get(metric) in CHANGED for each in short.bare)),
        share(p <= ALARM).brief if len(p) else "both sides alike",
    )


def planted(long: Long) -> str:
    """Planted faults in long blocks."""
    limit = len(long.blocks)
    once = {fault.new: fault for fault in FAULTS}
    sizes = (
        (name, *(size(log_ratios(long.blocks, fault.pair, metric)) for metric in ASKED))
        for name, fault in once.items()
    )
    head = ("planted, and band", "metric", *VERDICTS, "blocks", "minutes")
    return f"""## Planted faults

Of {long.measured} blocks {limit} were measured without a failure. `again` is `plain` once more.
`slower-5` and `slower-10` do more work in each gradient evaluation; `sticky-20` repeats some of its
draws. Nothing else differs, to the last bit. Chains have {LONG.draws:,} draws. How large the faults
came out, as median over all {limit} blocks with its 95 % interval by order statistics:

{table(("against plain", *ASKED), sizes)}

Equal sides, `again` against `plain`: {spread(log_ratios(long.blocks, FAULTS[0].pair, CLOCK))}

### Resampled comparisons of {BUDGET / 60:.0f} minutes

**Resampled, not measured**: {len(long.trials[0]):,} comparisons of each kind, of whole blocks drawn
from the {limit} with replacement, {STRETCH} neighbours at a time, so that drift and noisy stretches
stay in them. They end as `compare` does: at the first look at which every metric that must have an
answer has one, or with the budget. Blocks and minutes are medians of those that were answered.

{table(head, (row for k, fault in enumerate(FAULTS) for row in _tally(fault, long.trials[k])))}

### The same blocks as they were measured

Nothing is resampled here. *In turn*: comparisons one after another through the whole sequence, each
until its answer or the end of its budget, with its blocks; no process is in two of them.

{table(("planted, and band", "metric", f"all {limit} blocks", "in turn"), _real(long))}"""


def _tally(fault: Fault, trials: Sequence[Trial]) -> Iterator[tuple[str, ...]]:
    done = [each for each in trials if each.outcome.answered]
    blocks = f"{median(each.outcome.blocks for each in done):.0f}" if done else "–"
    minutes = f"{median(each.seconds for each in done) / 60:.1f}" if done else "–"
    for metric in ASKED:
        told = [each.verdicts[metric] for each in trials]
        shares = (share(each == word for each in told).brief for word in VERDICTS)
        yield fault.name, metric, *shares, blocks, minutes


def _real(long: Long) -> Iterator[tuple[str, ...]]:
    for fault, whole, turns in zip(FAULTS, long.whole, long.turns, strict=True):
        for metric in ASKED:
            told = (f"{verdict(each, metric)} ({each.blocks})" for each in turns)
            yield fault.name, metric, verdict(whole, metric), ", ".join(told) or "–"


def rules(short: Short, long: Long) -> str:
    """Other rules on the same numbers."""
    alarms = (
        "rule",
        "real, clock",
        "real, any metric",
        "real, one side after the other",
        "real, far apart",
        "again",
        "sticky-20",
    )
    _, five, ten, wide, sticky = FAULTS
    finds = ("rule", five.new, ten.new, f"{sticky.new}, ESS")
    return f"""## Beside other rules

On the same numbers: asv's rule (medians a factor of 1.1 apart, and a Mann-Whitney test at 0.002,
as `asv compare` has it), pytest-benchmark's `--benchmark-compare-fail=median:5%`, and a two-sided
t-test of the logarithms, unpaired (Welch's), at 1 %. The first two are run by their own code; no
rule knows of blocks. What is better the higher it is, they get as its inverse.

### False alarms: equal sides called changed

{table(alarms, _alarms(short, long))}

*Real* are the short comparisons. *One side after the other* takes the old side of one and the new
side of the next, as tools do that measure one version and then the other, and *far apart* of two
that are half of the campaign from each other, as with a saved baseline: {_gap(short):.0f} minutes
at the median. The last two are seconds per gradient evaluation of resampled comparisons, with the
whole budget but for `compare`, which ends by itself; in `sticky-20` they are those of `plain`.

### Power: the fault called regressed

With the whole budget; in brackets with no more blocks than `compare` took.

{table(finds, _finds(long, wide))}

asv's factor lies above the one fault of the clock and where the other is: the first it can't find
however long it measures, and of the second a tenth of a per cent decides. pytest-benchmark's limit
lies so beside `slower-5`."""


def _gap(short: Short) -> float:
    """Median minutes from one comparison to the one half of the campaign later."""
    half = len(short.groups) // 2
    began = [datetime.fromisoformat(group[0][PAIR.old].began) for group in short.groups]
    gaps = [late - early for early, late in zip(began[:half], began[half:], strict=False)]
    return median(gap.total_seconds() for gap in gaps) / 60


def _alarms(short: Short, long: Long) -> Iterator[tuple[str, ...]]:
    again, *_, sticky = long.trials
    own = [
        share(each.verdicts.get(CLOCK) in CHANGED for each in short.equal),
        share(each.changed for each in short.equal),
    ]
    ends = [share(each.verdicts[CLOCK] in CHANGED for each in some) for some in (again, sticky)]
    yield ("compare", *(each.brief for each in own), "–", "–", *(x.brief for x in ends))
    for rule in RULES:
        told = [
            share(each[rule][CLOCK] is not None for each in short.by_rule),
            share(any(each[rule].values()) for each in short.by_rule),
            share(each[rule][CLOCK] is not None for each in short.near),
            share(each[rule][CLOCK] is not None for each in short.far),
            share(each.late[rule][CLOCK] is not None for each in again),
            share(each.late[rule][CLOCK] is not None for each in sticky),
        ]
        yield rule, *(each.brief for each in told)


def _finds(long: Long, wide: Fault) -> Iterator[tuple[str, ...]]:
    _, five, ten, ten_wide, sticky = long.trials
    columns = ((five, CLOCK), (ten, CLOCK), (sticky, ESS))
    yield "compare", *(_own(trials, metric).brief for trials, metric in columns)
    yield f"compare, band {100 * wide.band:.0f} %", "–", _own(ten_wide, CLOCK).brief, "–"
    for rule in RULES:
        yield rule, *(_both(rule, trials, metric) for trials, metric in columns)


def _own(trials: Sequence[Trial], metric: str) -> Share:
    return share(each.verdicts[metric] == "regressed" for each in trials)


def _both(rule: str, trials: Sequence[Trial], metric: str) -> str:
    late = share(each.late[rule][metric] == "regressed" for each in trials)
    early = share(each.early[rule][metric] == "regressed" for each in trials)
    return f"{late.brief} ({100 * early.share:.1f} %)"


def floor(short: Short, long: Long) -> str:
    """Noise floors, and what is said of changes below them."""
    count = len(short.groups[0])
    head = ("slower by", "floor", *VERDICTS)
    long_head = ("blocks drawn from", "median floor", "nine in ten below")
    return f"""## The noise floor

The floor is half of the interval of equal sides, as `gmixbench noise` tells it. Resampled from
`again` with the whole budget of {BUDGET / 60:.0f} minutes, of all blocks and of the halves that
began at less load than most and at more:

{table(long_head, _long_floors(long))}

In the short comparisons floors are higher: {_floors(short)}. There the change is put in by
arithmetic, the new side's clock multiplied, and all else is as measured: {len(short.equal)} real
comparisons of {count} blocks for each size of change, by whether the floor that the comparison
before found is above it. Its own floor would be no measure: it is made of the same noise as its
answer.

{table(head, _by_floor(short))}

Where the floor is above the change the answer should be that there is none yet; never may it be
equivalent or improved. Regressed in spite of the floor is right, for the change is there: it was
quieter than before, or chance made the change look larger."""


def _long_floors(long: Long) -> Iterator[tuple[str, ...]]:
    for name, some in long.floors.items():
        yield name, *(f"{100 * end:.2f} %" for end in np.quantile(some, [0.5, 0.9]))


def _floors(short: Short) -> str:
    ends = 100 * np.quantile([each.floor for each in short.equal], [0.5, 0.1, 0.9])
    return "{:.1f} % at the median, {:.1f} % to {:.1f} % in eight of ten".format(*ends)


def _by_floor(short: Short) -> Iterator[tuple[str, ...]]:
    for effect in EFFECTS[1:]:
        for where, above in (("above", True), ("below", False)):
            told = too_noisy(short, effect, above=above)
            if told:
                counts = (str(told.count(word)) for word in VERDICTS)
                yield f"{100 * effect:.0f} %", f"{where}: {len(told)}", *counts

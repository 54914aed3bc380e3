"""The page: where it comes from, what was asked, every number, and what they mean."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from asked import asked
from long import BUDGET, Long
from sections import equal, floor, planted, rules
from shares import CONFIDENCE
from short import Short

from gmixbench.lab.environment import describe

VERSIONS = {"Python": "python", "NumPyro": "numpyro", "JAX": "jax", "gmixbench": "gmixbench"}


def page(short: Short, long: Long, days: Sequence[str], cpus: Mapping[str, int]) -> str:
    """All of it, in Markdown.

    Parameters
    ----------
    days : on which the processes ran, in order
    cpus : how many processes ran on each
    """
    sections = (
        _head(short, long, days, cpus),
        asked(short, long),
        "![Power by size of change, power by rule, time to the answer, and noise](power.png)",
        equal(short),
        planted(long),
        rules(short, long),
        floor(short, long),
        _meaning(),
    )
    return "\n\n".join(map(_wrapped, "\n\n".join(sections).split("\n\n"))) + "\n"


def _wrapped(part: str) -> str:
    """A paragraph in lines of equal length; tables and what else has lines of its own stay."""
    if part.startswith(("|", "#", "!", "- ")):
        return part
    words = " ".join(part.split()).replace(" %", "\u00a0%")  # a number stays with its sign
    return fill(words, 100, break_long_words=False, break_on_hyphens=False).replace("\u00a0", " ")


def _head(short: Short, long: Long, days: Sequence[str], cpus: Mapping[str, int]) -> str:
    here = describe()
    versions = ", ".join(f"{name} {here[key]}" for name, key in VERSIONS.items() if key in here)
    machines = "; ".join(f"{count:,} processes on {cpu}" for cpu, count in cpus.items())
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"""# Power and false alarms of `gmixbench compare`

Made by `python benchmarks/power/table.py` of what `measure.py` measured: {short.measured} real
comparisons of equal sides in short blocks (`equal.csv`), and {long.measured} long blocks with
planted faults (`planted.csv`). One case: NUTS of NumPyro on `ordered`, data set `close`. Each
process is fresh, and each comparison is judged by the project's own `judge`, at alpha 1 %. Behind a
share stands its interval by Clopper and Pearson, of which each bound holds with
{100 * (1 + CONFIDENCE) / 2:.0f} %.

*{machines}; {here["cores"]} cores, shared; {versions}; measured {when}.*"""


def _meaning() -> str:
    return f"""## What this shows, and what it doesn't

It shows how `compare` errs on one shared machine, for one case, on noise that was measured: false
alarms from real comparisons that are independent in their processes, though neighbours share the
hour they were measured in; power from resampled blocks, with real comparisons beside them that are
too few for a rate. The faults are planted in a gradient and in draws: a slower warm-up, slower
compilation or a changed trajectory were not tried. A block of `planted.csv` has five processes, so
its two sides are further apart in time than those of `compare`, and drift between them larger.
Resampled comparisons repeat blocks, which real ones never do, and know no noise but that of these
blocks; the rates are those of {BUDGET / 60:.0f} minutes, and a machine that is noisier needs more.
Other rules are judged in blocks that were interleaved for `compare`'s sake, which flatters them:
used as they mostly are, one version after the other, they meet the drift as well."""

"""Nouns of what changed across releases, and when: change points, each with its evidence."""

from dataclasses import dataclass
from typing import Literal

Interval = tuple[float, float, float]
"""Estimate, low and high end."""

Kind = Literal["failed", "invalid", "density", "shim", "unconverged", "unjoined"]


@dataclass(frozen=True)
class Change:
    """A change point: from `before`, the last release of a segment, to `stack`.

    `effect` with its interval is a ratio (new / old) or a difference, as its series says; of the
    two segments in `effect`, of the two neighbours in `step`. `verdict` is "improved", "regressed"
    or, for a metric without a direction, "changed". `dependencies` are what else the lock changed,
    "numpy 1.26.4 → 2.1.3".
    """

    stack: str
    before: str
    verdict: Literal["improved", "regressed", "changed"]
    effect: Interval
    step: Interval
    dependencies: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """One metric of one case along the releases of one library.

    `stacks` are in order of date; `values` has each one's value by round, sessions joined at their
    anchors, empty where no round is valid. `centre` has the level of each with its interval, or
    `None`; `steps` what each differs by from the one shown before it, as `scale` says: a ratio or a
    difference. `false_alarms` is the measured share of histories without a change in which a change
    was seen all the same, or of a product the most that it can be. It is `None` where no release
    has two rounds to tell the noise: then nothing was judged, intervals are but their estimate and
    there are no steps.
    """

    ppl: str
    dataset: str
    model: str
    method: str
    metric: str
    scale: Literal["ratio", "difference"]
    stacks: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    centre: tuple[Interval | None, ...]
    steps: tuple[Interval | None, ...]
    changes: tuple[Change, ...]
    false_alarms: float | None


@dataclass(frozen=True)
class Notice:
    """What is wrong or special about a release, before its speed is asked for.

    `kind` is "failed", "invalid", "density", "shim", "unconverged", or "unjoined" for values left
    out because they can't stand beside the others: their session shares no valid anchor with those
    before, or other settings were measured since. `cases` are "model method" texts, `rounds` how
    many of the measured rounds it concerns, as (concerned, measured).
    """

    ppl: str
    stack: str
    kind: Kind
    cases: tuple[str, ...]
    rounds: tuple[int, int]
    message: str


@dataclass(frozen=True)
class Findings:
    """All that a history tells: notices first, then the series with their change points."""

    notices: tuple[Notice, ...]
    series: tuple[Series, ...]

"""The nouns of a comparison: what is compared, what each process left, and what may be said."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from gmixbench.ruler.compare import Verdict
from gmixbench.ruler.score import Check
from gmixbench.ruler.tolerances import TOLERANCES
from gmixbench.spec import Case, Mixture, Settings

PILOT = -1
"""Number of the block that is measured first and of which no metric counts: it fills the caches,
and tells how many draws it takes."""

LEAST_SECONDS = 2.0
"""Seconds that sampling or fitting is to take in the faster variant. Over fresh processes, seconds
per gradient spread by 14 % where sampling took a tenth of a second, and by 1 % at 2 s."""


@dataclass(frozen=True)
class Variant:
    """One of the things that are compared.

    `name` is what its user called it, `stack` a stack or "here", `backend` what measures it there.
    `packages` are the versions of all packages, and of Python, by name; `digest` is the same for
    the same thing, and for nothing else. `held` tells that it has the dependencies of what it is
    compared with, but for those that do not go with its library.
    """

    name: str
    stack: str
    backend: str
    packages: dict[str, str]
    digest: str
    held: bool = False


@dataclass(frozen=True)
class Task:
    """A model by a method, with settings that are the same for all variants."""

    model: Mixture
    method: str
    settings: Settings

    @property
    def name(self) -> str:
        """Model and method, as they are told."""
        return f"{self.model.name} {self.method}"


@dataclass(frozen=True)
class Reading:
    """What one fresh process left: numbers, no draws.

    Attributes
    ----------
    block, variant, task
        What it was for; variants and tasks by their place in the comparison. In a block all
        processes have one seed.
    place
        Its place in the random order of its block, 0 for the first.
    cold
        Whether compilation caches were empty; else none of the metrics that tell of compiling.
    began, seconds
        ISO time, and wall-clock seconds of the whole process.
    checks
        Estimates against the exact posterior, of NUTS.
    ess
        Least ESS of any label-invariant quantity, of NUTS; `None` where that is not finite.
    faults
        What no chance explains: a density that is not the model's, a loss that can't be.
    failure
        "kind: message" where nothing was measured; then there are no metrics.
    draws
        SHA-256 of the draws, so that equal draws are known as such.
    """

    block: int
    variant: int
    task: int
    place: int
    case: Case
    cold: bool
    began: str
    seconds: float
    metrics: dict[str, float | None]
    checks: tuple[Check, ...] = ()
    ess: float | None = None
    faults: tuple[str, ...] = ()
    failure: str | None = None
    draws: str = ""


@dataclass(frozen=True)
class Comparison:
    """All that was measured of some variants, in the order in which one became the other.

    Attributes
    ----------
    variants
        Two, or more where the steps between the first and the last are told apart.
    band
        Share within which timings are equivalent.
    alpha
        Error that the verdicts on metrics share, over all metrics and all looks; `judge.holm_level`
        tells how far that holds. Whether a variant is right has a level of its own,
        `verdict.FAMILYWISE`.
    seed
        That of the pilot; each block after it has the next one.
    machine
        Processor, system, and versions of the ruler.
    readings
        Of whole and of begun blocks, in order of time.
    ess_band
        Share within which ESS per gradient evaluation is equivalent.
    metrics
        Those that must have an answer; where none is named, those that explain the others.
    """

    variants: tuple[Variant, ...]
    tasks: tuple[Task, ...]
    dataset: str
    band: float
    alpha: float
    seed: int
    machine: dict[str, str]
    readings: tuple[Reading, ...] = ()
    ess_band: float = TOLERANCES["ess_per_gradient"].band
    metrics: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Old and new variant of each contrast: first and last, then each step between them."""
        last = len(self.variants) - 1
        steps = [(k, k + 1) for k in range(last)]
        return ((0, last), *steps) if last > 1 else ((0, last),)

    @property
    def ends(self) -> tuple[int, int]:
        """The first variant and the last: what the comparison is of."""
        return 0, len(self.variants) - 1

    def band_of(self, metric: str) -> float:
        """How much of a metric is no change: a share of a ratio, else in its unit."""
        if metric == "ess_per_gradient":
            return self.ess_band
        tolerance = TOLERANCES[metric]
        return self.band if tolerance.machine else tolerance.band

    @property
    def dropped(self) -> frozenset[int]:
        """Variants between the ends of which a process failed, or is no such model.

        They tell steps apart, which can't be told then; the ends go on without them.
        """
        between = {*range(len(self.variants))} - {*self.ends}
        return frozenset(
            each.variant
            for each in self.readings
            if each.variant in between and (each.failure or each.faults)
        )

    @property
    def whole_blocks(self) -> tuple[Reading, ...]:
        """Readings of the blocks that have every variant and task, in order; the pilot is none.

        What was dropped is in none of them.
        """
        dropped = self.dropped
        wanted = (len(self.variants) - len(dropped)) * len(self.tasks)
        counted = [
            each for each in self.readings if each.block != PILOT and each.variant not in dropped
        ]
        ordered = sorted(counted, key=lambda each: each.block)
        blocks = [[*rows] for _, rows in groupby(ordered, key=lambda each: each.block)]
        return tuple(row for rows in blocks if len(rows) == wanted for row in rows)


@dataclass(frozen=True)
class Interval:
    """Estimate with a lower and an upper bound."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """What is said of one metric of one task between two variants.

    Attributes
    ----------
    pair, task
        Old and new variant, and the task, by their place in the comparison.
    old, new
        Median over the blocks.
    change
        new / old for a ratio, new - old for a difference, with the interval the verdict rests on.
    band
        What is equivalent, on the same scale: a share of a ratio, else in the metric's unit.
    blocks
        Blocks it rests on; 0 where there were too few to look, and `change` is the estimate alone.
    asked
        Whether there must be an answer: it was named, or explains the others.
    repeats
        Whether both sides agree in each block to the last digits, so that no chance is involved.
    more
        Blocks beyond these that would do, if the noise stays as it is; `None` where there is an
        answer, or none in sight.
    remark
        What else must be known of the verdict.
    confirmed
        Of a change that was measured again, whether it was found again; `None` of all else.
    """

    pair: tuple[int, int]
    task: int
    metric: str
    verdict: Verdict
    old: float
    new: float
    change: Interval
    band: float
    blocks: int
    asked: bool
    repeats: bool = False
    more: int | None = None
    remark: str = ""
    confirmed: bool | None = None

    @property
    def unconfirmed(self) -> bool:
        """Whether it is a change that was measured again and not found again."""
        return self.confirmed is False

    @property
    def moved(self) -> bool:
        """Whether it is told to be worse, or better."""
        return self.verdict in ("improved", "regressed")

    @property
    def ratio(self) -> bool:
        """Whether `change` is a ratio."""
        return TOLERANCES[self.metric].scale == "ratio"


@dataclass(frozen=True)
class Trust:
    """Whether the answer of a variant in a task is right, all its processes taken together.

    `z` is the largest distance from the exact posterior in standard errors of all draws, `limit`
    what is allowed, and `worst` which check it is of; `None` for ADVI. `wrong` tells whether the
    answer is known to be wrong: else what speaks against it is that it was not measured, or too
    little.
    """

    variant: int
    task: int
    reasons: tuple[str, ...]
    z: float | None = None
    limit: float | None = None
    worst: str = ""
    wrong: bool = False

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


@dataclass(frozen=True)
class Outcome:
    """All that a comparison says.

    `blocks` are the whole ones, `looks` how often their number was one at which to look.
    `same_draws` are the pairs and tasks whose draws agree to the last bit in every block.
    """

    comparison: Comparison
    blocks: int
    looks: int
    findings: tuple[Finding, ...]
    trusts: tuple[Trust, ...]
    same_draws: tuple[tuple[tuple[int, int], int], ...] = ()

    @property
    def faulted(self) -> tuple[Trust, ...]:
        """What speaks against the first variant or the last; what is between them decides none."""
        ends = self.comparison.ends
        return tuple(each for each in self.trusts if each.variant in ends and not each.valid)

    @property
    def valid(self) -> bool:
        """Whether the first variant and the last were measured, and are right."""
        return bool(self.trusts) and not self.faulted

    @property
    def whole(self) -> tuple[Finding, ...]:
        """Findings between the first variant and the last."""
        return tuple(each for each in self.findings if each.pair == self.comparison.pairs[0])

    @property
    def verdict(self) -> Literal["invalid", "not measured", "regressed", "inconclusive", "fine"]:
        """Verdict on the whole: right comes before fast, and worse before unknown."""
        if any(each.wrong for each in self.faulted):
            return "invalid"
        if not self.valid:
            return "not measured"
        if any(each.verdict == "regressed" for each in self.whole):
            return "regressed"
        return "fine" if self.answered else "inconclusive"

    @property
    def answered(self) -> bool:
        """Whether all that must be answered is; then there is no more to measure.

        A change that was found but once must be answered too: it is not known to be none.
        """
        asked = [each for each in self.findings if each.asked]
        if {*self.comparison.metrics} - {each.metric for each in asked}:
            return False  # what was named is not told yet
        open_ = [each for each in self.findings if each.unconfirmed]
        return bool(asked) and all(each.verdict != "inconclusive" for each in (*asked, *open_))

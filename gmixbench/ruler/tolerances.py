"""What the gate knows of each metric besides its direction: band, noise and limit, with the reason.

Noise is that of a single run, so that one run against one run has a stated floor: measured on
2026-11-23 by `benchmarks/gate_noise.py` in the project's own history, 34 releases of PyMC and
NumPyro in three rounds. Of the pooled standard deviation and the one that nine releases in
ten stay below, of either model, it is the largest: runs have far tails, and one that was disturbed
must not wake anybody. With three replicates a side their own spread counts, and not this. Of ESS
three seeds tell too little: from one to the next of 120 seeds (`benchmarks/gate_seeds.csv`) it
differs by less than half of what stands here.
"""

import math
from dataclasses import dataclass
from typing import Literal

from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.tracked import NATS_BAND
from gmixbench.ruler.verdict import CONVERGED, DENSITY_TOLERANCE, LEAST_ESS

BAND = 0.05
"""Share within which a timing is called equivalent: beyond what the same machine repeats within an
hour, below what a user would notice."""

MIXING = 0.1
"""Occupancy error below which the chains of a baseline change modes so often that a change of their
R-hat or occupancy is one of the sampler, and not of where the chains happened to start."""


REACH = 3.0
"""Bands by which a metric may have become worse without being seen, unless its row has another."""

TIMED = "timed_s"
"""Median seconds of what pytest-benchmark timed itself, without a fit: log density and gradient."""


@dataclass(frozen=True)
class Tolerance:
    """How two values of a metric are held against each other.

    Attributes
    ----------
    scale
        "ratio" compares logarithms, "difference" the values: for what can be zero.
    band
        Difference that does not matter, as a share for a ratio, else in the metric's unit.
    noise
        Standard deviation of a single run on that scale, by the machine and the seed.
    reason
        Why these numbers.
    machine
        Whether it depends on the machine: then a replicate is a run, since what is measured in one
        run shares the state of the machine; of all else a replicate is a seed.
    asked
        Whether the gate must have an answer: none here is none as a whole. They are those that
        explain the others, and what tells a right answer from a wrong one.
    reach
        Bands by which it may have become worse without being seen: where it may be more, there is
        no answer. More than `REACH` where seven rounds could not exclude so little.
    limit
        Value beyond which the metric is bad by itself.
    mixing
        Whether, of `unordered`, it is a lottery of starts unless the baseline's chains mix.
    negligible
        Value up to which, on both sides, its ratio says nothing: nobody waits for that.
    """

    metric: str
    scale: Literal["ratio", "difference"]
    band: float
    noise: float
    reason: str
    machine: bool = False
    asked: bool = False
    reach: float = REACH
    limit: float | None = None
    mixing: bool = False
    negligible: float = 0.0

    @property
    def sign(self) -> int:
        """1 where more is worse, -1 where less is; what a harness timed itself is in seconds."""
        return 1 if self.metric == TIMED or METRICS[self.metric].better == "lower" else -1

    @property
    def width(self) -> float:
        """Band on the scale on which values are compared."""
        return self._scaled(self.band)

    @property
    def farthest(self) -> float:
        """`reach` bands on that scale."""
        return self._scaled(self.reach * self.band)

    def _scaled(self, width: float) -> float:
        return math.log1p(width) if self.scale == "ratio" else width


def _table(*rows: Tolerance) -> dict[str, Tolerance]:
    return {row.metric: row for row in rows}


def _timing(
    metric: str, noise: float, reason: str, *, asked: bool = False, negligible: float = 0.0
) -> Tolerance:
    return Tolerance(
        metric, "ratio", BAND, noise, reason, machine=True, asked=asked, negligible=negligible
    )


MOMENT = 0.02
"""Seconds that nobody waits for, and that any disturbance doubles."""

TOLERANCES = _table(
    _timing(TIMED, 0.08, "not measured: taken for a clock like seconds_per_gradient", asked=True),
    _timing("seconds_per_gradient", 0.08, "the clock alone: what code costs", asked=True),
    _timing("steps_per_second", 0.09, "the clock of ADVI", asked=True),
    _timing(
        "compile_s", 0.1, "what a user waits for at each new model", asked=True, negligible=MOMENT
    ),
    _timing("draws_per_second", 0.13, "the clock and the length of trajectories"),
    _timing("ess_per_second", 0.60, "ess_per_gradient and the clock, so their noise"),
    _timing("time_to_ess_1000", 0.1, "mostly compilation on so small a model"),
    _timing("sample_s", 0.13, "as draws_per_second"),
    _timing("warmup_s", 0.085, "as sample_s, trajectories less by chance"),
    _timing("fit_s", 0.09, "as steps_per_second"),
    _timing(
        "import_s",
        0.16,
        "reads files: depends on what the system keeps in memory",
        negligible=MOMENT,
    ),
    _timing("build_s", 0.29, "some milliseconds, so every disturbance shows", negligible=MOMENT),
    _timing("total_s", 0.085, "sum of the phases"),
    _timing("cpu_s", 0.08, "as total_s, waiting apart"),
    Tolerance(
        "peak_memory",
        "ratio",
        BAND,
        0.011,
        "repeats within a percent, but allocators differ between systems",
        machine=True,
    ),
    Tolerance(
        "ess_per_gradient",
        "ratio",
        0.10,
        0.63,
        "no clock in it; an estimate from draws, so 10 %, and far-tailed by seed: some runs of "
        "`ordered` in old releases have a third of the others' ESS; so what seven new seeds can "
        "exclude is a loss of half",
        asked=True,
        reach=10.0,
    ),
    Tolerance(
        "ess_bulk",
        "ratio",
        0.10,
        0.36,
        "as ess_per_gradient; below 400 R-hat is no evidence",
        limit=LEAST_ESS,
    ),
    Tolerance("ess_tail", "ratio", 0.10, 0.59, "as ess_bulk, of fewer draws", limit=LEAST_ESS),
    Tolerance("gradients_warmup", "ratio", 0.10, 0.038, "length of trajectories by seed"),
    Tolerance("gradients_sample", "ratio", 0.10, 0.12, "length of trajectories by seed"),
    Tolerance("ebfmi", "ratio", 0.20, 0.46, "below 0.3 energies mix too slowly", limit=0.3),
    Tolerance(
        "rhat_relabelled",
        "difference",
        0.005,
        0.0028,
        "half of what separates 1 from the limit of Vehtari et al. 2021",
        asked=True,
        limit=1.01,
    ),
    Tolerance(
        "rhat",
        "difference",
        0.02,
        0.01,
        "of `ordered` as rhat_relabelled, noise 0.0028; of chains that mix with an ESS of 100 each "
        "R-hat is off by 1/100",
        mixing=True,
    ),
    Tolerance(
        "occupancy_error",
        "difference",
        0.05,
        0.05,
        "standard error of the occupancy of a chain whose indicator has an ESS of 100",
        mixing=True,
    ),
    Tolerance(
        "mode_switches",
        "difference",
        20.0,
        10.0,
        "per 1000 draws; a hundred independent visits have a standard error of ten",
        mixing=True,
    ),
    Tolerance(
        "bias_z",
        "difference",
        2.0,
        1.4,
        "the largest of ten distances in their own standard error; what is too much, the verdict "
        "on the run says",
    ),
    Tolerance(
        "density_error",
        "difference",
        DENSITY_TOLERANCE,
        0.0,
        "no chance in it: the third of the five rules",
        asked=True,
        limit=DENSITY_TOLERANCE,
    ),
    Tolerance(
        "density_constant",
        "difference",
        1e-3,
        0.0,
        "no chance in it; of a million observations rounding is some 1e-5, and what is no rounding "
        "makes a run invalid",
        asked=True,
    ),
    Tolerance(
        "divergences",
        "difference",
        20.0,
        2.9,
        "of 4,000 draws and more: one in two hundred is where inference is in doubt",
    ),
    Tolerance(
        "max_treedepth_share",
        "difference",
        0.01,
        0.002,
        "none was seen; the standard error of a handful in 4,000 draws",
    ),
    Tolerance(
        "gap",
        "difference",
        NATS_BAND,
        0.018,
        "what no use of the approximation notices",
        asked=True,
        limit=CONVERGED,
    ),
    Tolerance("kl", "difference", NATS_BAND, 0.018, "as gap: they differ by a constant"),
    Tolerance("loss", "difference", NATS_BAND, 0.018, "as gap: they differ by a constant"),
    Tolerance(
        "pareto_k",
        "difference",
        0.1,
        0.1,
        "an estimate from the 300 largest of 10,000 ratios: of the best normals, from seed to "
        "seed, its standard deviation is 0.08 to 0.1; the posterior's own tail, not the fit, may "
        "take it past 0.7, so that is no limit",
    ),
    Tolerance("average_loss", "difference", NATS_BAND, 0.021, "as gap, of noisy steps"),
    Tolerance(
        "steps_to_converge", "ratio", 0.25, 0.47, "where a noisy trace enters a narrow corridor"
    ),
)
"""Every metric that has a direction, by name; one without, as `mode_occupancy`, is not judged."""

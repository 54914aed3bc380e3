"""The metrics: name, unit, direction and definition of each, in one table.

Light to import: the command line lists it without loading what computes it.
"""

from dataclasses import dataclass
from typing import Literal

from gmixbench.spec import ADVI_METHODS

Better = Literal["higher", "lower"] | None


@dataclass(frozen=True)
class Metric:
    """One metric: its unit, which way is better, what it is defined for, and its definition.

    `methods` is "nuts", "advi", "fits" (ADVI and all else that fits a normal) or "both" (NUTS and
    fits). `speed` marks what an invalid run does not show.
    """

    name: str
    unit: str
    better: Better
    methods: Literal["nuts", "advi", "fits", "both"]
    speed: bool
    definition: str

    def concerns(self, method: str) -> bool:
        """Whether it is defined for a method, one of `METHODS`."""
        if method == "nuts":
            return self.methods in ("nuts", "both")
        return self.methods in ("fits", "both") or (
            self.methods == "advi" and method in ADVI_METHODS
        )


def _table(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS = _table(
    Metric("draws_per_second", "1/s", "higher", "nuts", True, "draws of all chains / sample_s"),
    Metric(
        "ess_bulk",
        "draws",
        "higher",
        "nuts",
        False,
        "least bulk ESS of smaller mean, larger mean and log density, of what else is unknown in a "
        "general mixture, rank-normalized",
    ),
    Metric(
        "ess_tail",
        "draws",
        "higher",
        "nuts",
        False,
        "least tail ESS (5 % and 95 %) of the same quantities",
    ),
    Metric("ess_per_second", "1/s", "higher", "nuts", True, "min(ess_bulk, ess_tail) / sample_s"),
    Metric(
        "ess_per_gradient",
        "1",
        "higher",
        "nuts",
        True,
        "min(ess_bulk, ess_tail) / gradient evaluations while sampling",
    ),
    Metric(
        "seconds_per_gradient",
        "s",
        "lower",
        "nuts",
        True,
        "sample_s / gradient evaluations while sampling; where labels are sampled, the sweep over "
        "them is in it",
    ),
    Metric(
        "gradient_s",
        "s",
        None,  # a limit for others: nothing is judged by it
        "nuts",
        True,
        "one evaluation of log density and gradient in a compiled loop that does nothing else",
    ),
    Metric(
        "time_to_ess_1000",
        "s",
        "lower",
        "nuts",
        True,
        "build_s + compile_s + warmup_s + 1000 / ess_per_second",
    ),
    Metric(
        "rhat",
        "1",
        "lower",
        "nuts",
        False,
        "worst rank-normalized split R-hat of the labelled means, or of all that is unknown",
    ),
    Metric(
        "rhat_relabelled",
        "1",
        "lower",
        "nuts",
        False,
        "worst rank-normalized split R-hat of the smaller and the larger mean",
    ),
    Metric(
        "mode_switches",
        "1/1000 draws",
        "higher",
        "nuts",
        False,
        "changes of the sign of m2 - m1 within chains, per 1000 draws",
    ),
    Metric(
        "mode_occupancy",
        "1",
        None,
        "nuts",
        False,
        "share of draws with m2 > m1, all chains pooled; by chain in `occupancy_by_chain`",
    ),
    Metric(
        "occupancy_error",
        "1",
        "lower",
        "nuts",
        False,
        "largest |occupancy - exact mass| of any chain; 1/2 for a chain that never switches",
    ),
    Metric(
        "bias_z",
        "MCSE",
        "lower",
        "nuts",
        False,
        "largest |estimate - exact| / MCSE over mean, sd, 5 % and 95 % quantile of the smaller "
        "and the larger mean, and mean and sd of the log density on the constrained scale; of a "
        "general mixture of standard deviations and weight too, with the reference in place of the "
        "exact, and its error beside the MCSE",
    ),
    Metric(
        "density_error",
        "1",
        "lower",
        "both",
        False,
        "largest |a - b| / max(1, |b|) of log density (its constant apart) and gradient against "
        "the written density, at the job's points",
    ),
    Metric(
        "density_constant",
        "nats",
        "lower",
        "both",
        False,
        "size of the median difference of the log density from the written one at the job's points",
    ),
    Metric("divergences", "draws", "lower", "nuts", False, "divergent draws after warm-up"),
    Metric(
        "max_treedepth_share",
        "1",
        "lower",
        "nuts",
        False,
        "share of draws whose trajectory stopped at the largest tree depth",
    ),
    Metric("ebfmi", "1", "higher", "nuts", False, "least E-BFMI of any chain"),
    Metric(
        "gradients_warmup",
        "evaluations",
        "lower",
        "nuts",
        False,
        "gradient evaluations in warm-up, all chains",
    ),
    Metric(
        "gradients_sample",
        "evaluations",
        "lower",
        "nuts",
        False,
        "gradient evaluations while sampling, all chains",
    ),
    Metric("steps_per_second", "1/s", "higher", "advi", True, "optimization steps / fit_s"),
    Metric(
        "average_loss", "nats", "lower", "advi", False, "mean of the last tenth of the loss trace"
    ),
    Metric(
        "loss",
        "nats",
        "lower",
        "fits",
        False,
        "negative ELBO of the final approximation, by quadrature",
    ),
    Metric("gap", "nats", "lower", "fits", False, "loss less that of the family's best normal"),
    Metric(
        "kl",
        "nats",
        "lower",
        "fits",
        False,
        "loss + log evidence; at least log 2 for a fit of one mode of `unordered`",
    ),
    Metric(
        "mode_mass",
        "1",
        None,
        "fits",
        False,
        "mass of m2 > m1 under the fitted normal of `unordered`, by its closed form; exactly 1/2",
    ),
    Metric(
        "pareto_k",
        "1",
        "lower",
        "fits",
        False,
        "Pareto k of the importance ratios of the fit's draws, from its normal to the written "
        "density; above 0.7 they don't bring the posterior back. It does not see a mode that no "
        "draw is in",
    ),
    Metric(
        "steps_to_converge",
        "steps",
        "lower",
        "advi",
        False,
        "first step after which the trace's running mean over 500 steps stays within 0.1 nats "
        "of its last value",
    ),
    Metric("import_s", "s", "lower", "both", False, "importing the library"),
    Metric("build_s", "s", "lower", "both", False, "building the library's model object"),
    Metric(
        "compile_s",
        "s",
        "lower",
        "both",
        False,
        "tracing and compiling, from empty compilation caches",
    ),
    Metric("warmup_s", "s", "lower", "nuts", True, "warm-up, summed over chains"),
    Metric("sample_s", "s", "lower", "nuts", True, "sampling after warm-up, summed over chains"),
    Metric(
        "fit_s",
        "s",
        "lower",
        "fits",
        True,
        "optimization, from its start to a fitted normal; Pathfinder's with its draws, that of "
        "pymc-extras' Laplace up to the mode",
    ),
    Metric(
        "total_s",
        "s",
        "lower",
        "both",
        True,
        "from the import to the last draw or step; the start of Python and the density check apart",
    ),
    Metric(
        "cpu_s",
        "s",
        "lower",
        "both",
        True,
        "CPU time of the process and its children, the start of Python included",
    ),
    Metric(
        "peak_memory",
        "bytes",
        "lower",
        "both",
        False,
        "largest resident memory of the process or a child",
    ),
)
"""Every metric by name: the one table that the command line, the report and the files share."""

COMPILING = ("build_s", "compile_s", "time_to_ess_1000", "total_s", "cpu_s")
"""Metrics that mean what they say only where compilation caches were empty."""

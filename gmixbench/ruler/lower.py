"""Metrics turned so that lower is better: for asv, which knows no other direction."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lower:
    """A metric as asv shows it, of NUTS or of ADVI.

    `metric` is its name in `METRICS`, and `inverse` tells that this is 1 over it. `unit` is as asv
    writes it: "seconds" and "bytes" get prefixes there. `title` names it on asv's page. Where
    values `touch_zero`, the share by which one differs from another says nothing, and asv looks at
    shares alone: it must not call such a change a regression. Nor one below `luck`, a share that
    the seed alone brings about.
    """

    name: str
    unit: str
    kind: Literal["nuts", "advi"]
    metric: str
    title: str
    inverse: bool = False
    touch_zero: bool = False
    luck: float = 0.0

    def value(self, metrics: Mapping[str, float | None]) -> float | None:
        """Value from those of a run, `None` where it has none.

        What rounding may bring below zero, a gap or a Kullback-Leibler divergence, is zero: of
        negative values asv's ratios are nonsense.
        """
        value = metrics.get(self.metric)
        if value is None or not math.isfinite(value):
            return None
        if self.inverse:
            return 1.0 / value if value > 0 else None
        return max(value, 0.0)


LOWER = (
    Lower(
        "seconds_per_draw",
        "seconds",
        "nuts",
        "draws_per_second",
        "NUTS: seconds per draw",
        inverse=True,
    ),
    Lower(
        "seconds_per_effective_draw",
        "seconds",
        "nuts",
        "ess_per_second",
        "NUTS: seconds per effective draw",
        inverse=True,
        luck=0.5,
    ),
    Lower(
        "gradients_per_effective_draw",
        "evaluations",
        "nuts",
        "ess_per_gradient",
        "NUTS: gradient evaluations per effective draw",
        inverse=True,
        luck=0.5,
    ),
    Lower(
        "seconds_per_gradient",
        "seconds",
        "nuts",
        "seconds_per_gradient",
        "NUTS: seconds per gradient evaluation",
    ),
    Lower("compile", "seconds", "nuts", "compile_s", "NUTS: compile"),
    Lower("warmup", "seconds", "nuts", "warmup_s", "NUTS: warm-up"),
    Lower("time_to_ess_1000", "seconds", "nuts", "time_to_ess_1000", "NUTS: time to ESS 1000"),
    Lower("rhat", "R-hat", "nuts", "rhat", "NUTS: R-hat of the labelled means"),
    Lower(
        "rhat_relabelled",
        "R-hat",
        "nuts",
        "rhat_relabelled",
        "NUTS: R-hat of the relabelled means",
    ),
    Lower(
        "occupancy_error",
        "share of draws",
        "nuts",
        "occupancy_error",
        "NUTS: occupancy error",
        touch_zero=True,
    ),
    Lower("peak_memory", "bytes", "nuts", "peak_memory", "NUTS: peak memory"),
    Lower("import", "seconds", "nuts", "import_s", "import of the library"),
    Lower("kl", "nats", "advi", "kl", "ADVI: loss above the log-evidence floor (KL)"),
    Lower(
        "gap",
        "nats",
        "advi",
        "gap",
        "ADVI: loss above the best mean-field loss (gap)",
        touch_zero=True,
    ),
    Lower(
        "seconds_per_step",
        "seconds",
        "advi",
        "steps_per_second",
        "ADVI: seconds per step",
        inverse=True,
    ),
    Lower("compile", "seconds", "advi", "compile_s", "ADVI: compile"),
)
"""What asv shows, in its benchmarks and in a history's repository alike."""

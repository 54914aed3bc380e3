"""The metrics that are followed through a history: few, and telling ones."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Tracked:
    """A metric of a method along releases.

    `band` is the least change that is called one, however well it was measured: a share for the
    scale "ratio", else in the metric's unit. `joined` tells that it depends on the machine's speed,
    so that sessions are joined at their anchors; `stream` that it depends on the algorithm and its
    random stream alone, so that it repeats under one seed. `once` tells that it is the same in all
    cases of a library, and followed in one. `factors` are the tracked metrics whose product or
    ratio it is: it changes only where one of them does.
    """

    method: str
    metric: str
    scale: Literal["ratio", "difference"]
    band: float
    joined: bool = False
    stream: bool = False
    once: bool = False
    factors: tuple[str, ...] = ()


RATIO_BAND = 0.03
"""Share below which a change of a speed or a size is not worth a maintainer's time."""

RHAT_BAND = 0.05
"""Change of R-hat below which chains agree as well, or as badly, as before."""

NATS_BAND = 0.02
"""Change of a loss, in nats, that no use of the approximation would notice."""

COST, LENGTH, YIELD = "seconds_per_gradient", "gradients_sample", "ess_per_gradient"
"""What explains a speed of NUTS: what a gradient costs, how many a run takes, what one yields."""

TRACKED = (
    Tracked("nuts", "ess_per_second", "ratio", RATIO_BAND, joined=True, factors=(YIELD, COST)),
    Tracked("nuts", YIELD, "ratio", RATIO_BAND, stream=True),
    Tracked("nuts", COST, "ratio", RATIO_BAND, joined=True),
    Tracked("nuts", "draws_per_second", "ratio", RATIO_BAND, joined=True, factors=(LENGTH, COST)),
    Tracked("nuts", LENGTH, "ratio", RATIO_BAND, stream=True),
    Tracked("nuts", "compile_s", "ratio", RATIO_BAND, joined=True),
    Tracked("nuts", "import_s", "ratio", RATIO_BAND, joined=True, once=True),
    Tracked("nuts", "peak_memory", "ratio", RATIO_BAND),
    Tracked("nuts", "rhat", "difference", RHAT_BAND, stream=True),
    Tracked("advi-matched", "steps_per_second", "ratio", RATIO_BAND, joined=True),
    Tracked("advi-matched", "gap", "difference", NATS_BAND, stream=True),
    Tracked("advi-library", "steps_per_second", "ratio", RATIO_BAND, joined=True),
    Tracked("advi-library", "gap", "difference", NATS_BAND, stream=True),
)
"""ESS/s and what explains it, what a user waits for and pays, and how good the answer is."""

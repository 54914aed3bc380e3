"""The metrics that are followed through a history: few, and telling ones."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Tracked:
    """A metric of a method along releases.

    `band` is the least change that is called one, however well it was measured: a share for the
    scale "ratio", else in the metric's unit. `joined` tells that it depends on the machine's speed,
    so that sessions are joined at their anchors. `once` tells that it is the same in all cases of a
    library, and followed in one.
    """

    method: str
    metric: str
    scale: Literal["ratio", "difference"]
    joined: bool
    band: float
    once: bool = False


RATIO_BAND = 0.03
"""Share below which a change of a speed or a size is not worth a maintainer's time."""

RHAT_BAND = 0.05
"""Change of R-hat below which chains agree as well, or as badly, as before."""

NATS_BAND = 0.02
"""Change of a loss, in nats, that no use of the approximation would notice."""

TRACKED = (
    Tracked("nuts", "ess_per_second", "ratio", True, RATIO_BAND),
    Tracked("nuts", "ess_per_gradient", "ratio", False, RATIO_BAND),
    Tracked("nuts", "seconds_per_gradient", "ratio", True, RATIO_BAND),
    Tracked("nuts", "draws_per_second", "ratio", True, RATIO_BAND),
    Tracked("nuts", "compile_s", "ratio", True, RATIO_BAND),
    Tracked("nuts", "import_s", "ratio", True, RATIO_BAND, once=True),
    Tracked("nuts", "peak_memory", "ratio", False, RATIO_BAND),
    Tracked("nuts", "rhat", "difference", False, RHAT_BAND),
    Tracked("advi-matched", "steps_per_second", "ratio", True, RATIO_BAND),
    Tracked("advi-matched", "gap", "difference", False, NATS_BAND),
    Tracked("advi-library", "steps_per_second", "ratio", True, RATIO_BAND),
    Tracked("advi-library", "gap", "difference", False, NATS_BAND),
)
"""ESS/s and what explains it, what a user waits for and pays, and how good the answer is."""

"""Checks against the exact posterior, those of many processes taken together."""

import math
from collections.abc import Sequence

from gmixbench.ruler.comparison.nouns import Reading
from gmixbench.ruler.score import Check


def pooled(rows: Sequence[Reading]) -> tuple[Check, ...]:
    """Mean of all estimates, with the distance from the exact value in standard errors.

    Parameters
    ----------
    rows : readings of one variant in one task, each with its checks
    """
    return tuple(_mean(checks) for checks in zip(*(each.checks for each in rows), strict=True))


def _mean(checks: Sequence[Check]) -> Check:
    count = len(checks)
    estimate = math.fsum(check.estimate for check in checks) / count
    # Of the differences, not of the estimates: these may be large, and the exact one as large.
    bias = math.fsum(check.estimate - check.exact for check in checks) / count
    mcse = math.sqrt(math.fsum(check.mcse**2 for check in checks)) / count
    # The reference's error is one and the same for all: no number of processes makes it smaller.
    error = checks[0].error
    spread = math.hypot(mcse, error)
    far = math.inf if bias else 0.0
    z = abs(bias) / spread if spread > 0 else far
    z = z if math.isfinite(z) else math.inf
    return Check(checks[0].name, estimate, checks[0].exact, mcse, z, error)

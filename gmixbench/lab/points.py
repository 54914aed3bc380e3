"""Points that a job carries: where chains start, and where the log density is held to its word."""

from functools import cache

import numpy as np

from gmixbench.spec import Mixture
from gmixbench.truth.exact import Exact
from gmixbench.truth.reference import Place

Located = Exact | Place
"""Whatever knows a mode and the standard deviations around it, on the unconstrained scale."""

OFFSETS = ((2.0, 2.0), (-2.0, -2.0), (2.0, -2.0), (-2.0, 2.0))
"""Posterior standard deviations by which chain c starts off its mode, taken in turn; by the
first for every other parameter, by the second for the rest."""

NEAR, FAR = 40, 10
"""How many density points lie within `NEAR_SPREAD` of a mode, and within `FAR_SPREAD`."""

NEAR_SPREAD, FAR_SPREAD = 4.0, 20.0
"""Posterior standard deviations; far ones tell a log-sum-exp from a plain sum that underflows."""


def starting_points(exact: Located, model: Mixture, starts: str, chains: int) -> np.ndarray:
    """Unconstrained starting points, shape (chains, d).

    Parameters
    ----------
    starts : "dispersed" puts chain c of `unordered` at mode c mod 2, "one-mode" all at the same;
        `ordered` has one mode. Each is moved by its own of `OFFSETS`.
    """
    offsets = np.array([OFFSETS[c % len(OFFSETS)] for c in range(chains)])
    columns = np.arange(len(model.parameters)) % 2
    points: np.ndarray = exact.mode(model) + offsets[:, columns] * exact.scale(model)
    if starts == "dispersed" and not model.ordered:
        points[1::2] = points[1::2, ::-1]
    return points


def density_points(exact: Located, model: Mixture) -> np.ndarray:
    """Fixed unconstrained points around the modes, shape (50, d); the same in every run."""
    points: np.ndarray = exact.mode(model) + _spread(len(model.parameters)) * exact.scale(model)
    if not model.ordered:
        points[1::2] = points[1::2, ::-1]
    return points


@cache
def _spread(dimensions: int) -> np.ndarray:
    # Halton's points less their centre: even, fixed, and never at a mode, where a gradient is zero.
    from scipy.stats import qmc  # slow to load

    unit = 2 * qmc.Halton(dimensions, scramble=False).random(NEAR + FAR + 1)[1:] - 1
    return np.asarray(unit * np.repeat([NEAR_SPREAD, FAR_SPREAD], [NEAR, FAR])[:, None])

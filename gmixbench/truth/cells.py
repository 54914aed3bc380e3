"""Quadrature over m1 < m2 on square cells that find their own way around the posterior.

From a mode, cells of a lattice are taken in as long as the density in their neighbour has not
fallen to nothing, so the region needs no guess: ridges, valleys and several modes are followed
wherever they lead. Within a cell the rule is Gauss-Legendre in both directions; the half cells on
the diagonal are folded onto the unit square (Duffy 1982), so no figure sees a corner.
"""

from dataclasses import dataclass

import numpy as np

from gmixbench.spec import Mixture
from gmixbench.truth import density
from gmixbench.truth.condense import Observations, Observe, around

ORDER = 16
"""Gauss-Legendre points in each direction of a cell."""

CUT = 37.0
"""Nats below the highest mode where the density counts as nothing: exp(-37) is half a rounding."""

MOST_CELLS = 60_000
"""Cells after which the region is given up as out of reach."""

_nodes, _weights = np.polynomial.legendre.leggauss(ORDER)
U = 0.5 * (_nodes + 1.0)
W = 0.5 * _weights


class UnreachableError(Exception):
    """The posterior's region can't be covered; the message says why."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one connected region, with the log density at their nodes, in nats.

    `low` and `size` have shape (c, 2). `joint` (c, p, p) is the log joint density at m1 node i and
    m2 node j; in half cells, where `half` is true, j runs from the diagonal up. `across` is `joint`
    and the log of the cell's area at that node. `upward` is `across` with the roles changed, for
    the margin of m2: there m2 is at node j and i runs up to the diagonal. The two differ in half
    cells alone.
    """

    low: np.ndarray
    size: np.ndarray
    half: np.ndarray
    joint: np.ndarray
    across: np.ndarray
    upward: np.ndarray

    def holds(self, means: np.ndarray) -> bool:
        """Whether the point of shape (2,) lies in one of the cells."""
        return bool(np.any(np.all((means >= self.low) & (means <= self.low + self.size), axis=1)))


def places(low: np.ndarray, size: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Means at the nodes of cells in the order of `Cells.across`, shape (c, p, p, 2)."""
    return _map(low, size, half, U[None, :, None], U[None, None, :])


def _map(
    low: np.ndarray, size: np.ndarray, half: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    first = low[:, 0, None, None] + size[:, 0, None, None] * u
    full = low[:, 1, None, None] + size[:, 1, None, None] * v
    folded = first + (low + size)[:, 1, None, None] * v - first * v
    second = np.where(half[:, None, None], folded, full)
    return np.stack(np.broadcast_arrays(first, second), axis=-1)


def flood(
    model: Mixture,
    observe: Observe,
    modes: np.ndarray,
    step: np.ndarray,
    floor: float,
    *,
    straddles: bool,
) -> Cells:
    """Cells around modes that hold all of the density connected with them.

    Parameters
    ----------
    observe : observations that hold in a box of means
    modes : (k, 2) means, the first not above the second
    step : (2,) size of a cell
    floor : log joint density below which it counts as nothing, in nats
    straddles : whether the density at the best point of m1 = m2 lies above that

    Raises
    ------
    UnreachableError
        More than `MOST_CELLS` cells would be needed.
    """
    found = None if straddles else _flood(model, observe, modes, step, floor, aligned=False)
    if found is not None:
        return found
    # The region touches the diagonal, which must then run through corners of square cells.
    square = np.full(2, step.min())
    aligned = _flood(model, observe, modes, square, floor, aligned=True)
    if aligned is None:
        raise AssertionError("cells aligned with the diagonal can't cross it")
    return aligned


def _flood(
    model: Mixture,
    observe: Observe,
    modes: np.ndarray,
    step: np.ndarray,
    floor: float,
    *,
    aligned: bool,
) -> Cells | None:
    origin = np.full(2, modes[0].mean()) if aligned else modes[0] - 0.5 * step
    box = around(modes, 6 * step)
    data = observe(box)
    front = {(int(i), int(j)) for i, j in np.floor((modes - origin) / step)}
    seen = set(front)
    kept: list[np.ndarray] = []
    values: list[np.ndarray] = []
    while front:
        index = np.array(sorted(front))
        low = origin + step * index
        half = index[:, 0] == index[:, 1] if aligned else np.zeros(len(index), dtype=bool)
        if not aligned and np.any(low[:, 0] + step[0] >= low[:, 1]):
            return None
        box = around(np.concatenate([[box.low, box.high], low, low + step]))
        data = observe(box)
        size = np.broadcast_to(step, low.shape)
        value = _evaluate(model, data, places(low, size, half))
        alive = value.max(axis=(1, 2)) > floor
        kept.append(index[alive])
        values.append(value[alive])
        if len(seen) > MOST_CELLS:
            raise UnreachableError(
                f"the posterior around means {modes[0, 0]:.6g}, {modes[0, 1]:.6g} spreads over "
                f"more than {MOST_CELLS} cells of {step[0]:.3g} by {step[1]:.3g}; a prior whose "
                "scale is nearer to that of the data would bound it"
            )
        front = {
            (i + a, j + b)
            for i, j in index[alive].tolist()
            for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, 1), (1, -1))
            if not aligned or j + b >= i + a
        } - seen
        seen |= front
    return _assemble(
        model, data, origin, step, np.concatenate(kept), np.concatenate(values), aligned
    )


def _assemble(
    model: Mixture,
    data: Observations,
    origin: np.ndarray,
    step: np.ndarray,
    index: np.ndarray,
    values: np.ndarray,
    aligned: bool,
) -> Cells:
    low = origin + step * index
    size = np.broadcast_to(step, low.shape)
    half = index[:, 0] == index[:, 1] if aligned else np.zeros(len(index), dtype=bool)
    area = float(np.log(step).sum())
    across = values + area
    upward = across.copy()
    if half.any():
        # The fold of a half cell shrinks it in proportion to its distance from the far corner.
        across[half] += np.log1p(-U)[None, :, None]
        corner = low[half]
        v = U[None, None, :]
        m2 = corner[:, 1, None, None] + step[1] * v
        m1 = corner[:, 0, None, None] + step[0] * v * U[None, :, None]
        mirrored = np.stack(np.broadcast_arrays(m1, m2), axis=-1)
        upward[half] = _evaluate(model, data, mirrored) + area + np.log(v)
    return Cells(low, size, half, values, across, upward)


def _evaluate(model: Mixture, data: Observations, means: np.ndarray) -> np.ndarray:
    flat = means.reshape(-1, 2)
    return density.log_joint(model, data.x, flat, data.weights).reshape(means.shape[:-1])

"""What stands in for the exact posterior where there is none: figures of long, certified runs.

A general mixture has five parameters, too many for quadrature. Its figures come from draws, each
with the Monte Carlo standard error that it was certified with.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from gmixbench.spec import Mixture
from gmixbench.truth import density
from gmixbench.truth.known import LOG_DENSITY, QUANTITIES, Figure, Known

STEP = 1e-4
"""Step of the differences of gradients that the curvature at the mode is taken from."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where the posterior of a general mixture lies: all that a run needs to be started.

    `x` are the sorted observations; `peak` is a mode on the unconstrained scale and `spread` the
    standard deviations that its curvature tells there, both of shape (5,).
    """

    x: np.ndarray
    model: Mixture
    peak: np.ndarray
    spread: np.ndarray

    def mode(self, _: Mixture) -> np.ndarray:
        """Mode on the unconstrained scale, log-Jacobian included, shape (5,)."""
        return self.peak

    def scale(self, _: Mixture) -> np.ndarray:
        """Standard deviations on the unconstrained scale around the mode, shape (5,)."""
        return self.spread

    def log_joint(self, parameters: np.ndarray) -> np.ndarray:
        """Log joint density on the constrained scale, in nats, at parameters of shape (k, 5)."""
        return density.log_joint(self.model, self.x, parameters)


@dataclass(frozen=True, eq=False)
class Margin:
    """Density `y` of one quantity at `x`, both of shape (k,), as its draws show it."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class Reference(Place):
    """Figures of a posterior by long runs.

    `figures` are of every quantity, the log density last; `margins` by the quantity's name. `made`
    tells how: the runs, their R-hat, least ESS and how well they agree.
    """

    figures: tuple[Known, ...]
    margins: dict[str, Margin]
    made: dict[str, Any]

    def known(self) -> tuple[Known, ...]:
        """Figures of each quantity that draws are held against."""
        return self.figures

    @property
    def log_density(self) -> float:
        """Mean log density, in nats."""
        return self.figures[-1].mean.value


def find_place(x: np.ndarray, model: Mixture) -> Place:
    """Mode of a general mixture on data `x`, shape (n,), and the curvature there.

    The search begins where halves of the sorted data have their means and spread.
    """
    x = np.sort(np.asarray(x, dtype=float))
    halves = np.array_split(x, 2)
    means, sigmas = [half.mean() for half in halves], [half.std() for half in halves]
    floor = 0.1 * max(float(x.std()), 1e-100)
    gap = max(means[1] - means[0], floor)
    values = [means[0], means[0] + gap, *(max(sigma, floor) for sigma in sigmas), 0.5]
    start = density.unconstrain(model, np.array([values]))[0]

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density.log_density(model, x, point[None])
        return -float(value[0]), -gradient[0]

    peak = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6}).x
    steps = np.eye(len(peak)) * STEP
    slopes = [density.log_density(model, x, peak + sign * steps)[1] for sign in (1.0, -1.0)]
    curvature = -(slopes[0] - slopes[1]) / (2 * STEP)
    covariance = np.linalg.inv(0.5 * (curvature + curvature.T))
    return Place(x, model, peak, np.sqrt(np.diag(covariance)))


def digest(x: np.ndarray, model: Mixture) -> str:
    """What ties a reference to its data and model: a digest of both, in whatever order data are."""
    told = hashlib.sha256(np.sort(np.asarray(x, dtype="<f8")).tobytes())
    told.update(json.dumps(asdict(model), sort_keys=True).encode())
    return told.hexdigest()


def to_dict(reference: Reference) -> dict[str, Any]:
    """Nested dictionary of plain JSON types; data are told by their digest alone."""
    figures = {
        known.name: {
            "mean": _pair(known.mean),
            "sd": _pair(known.sd),
            "quantiles": {f"{p:g}": _pair(one) for p, one in known.quantiles.items()},
        }
        for known in reference.figures
    }
    return {
        "model": asdict(reference.model),
        "digest": digest(reference.x, reference.model),
        "observations": len(reference.x),
        "mode": reference.peak.tolist(),
        "scale": reference.spread.tolist(),
        "made": reference.made,
        "figures": figures,
        "margins": {
            name: {"x": margin.x.tolist(), "y": margin.y.tolist()}
            for name, margin in reference.margins.items()
        },
    }


def from_dict(data: Mapping[str, Any], x: np.ndarray, model: Mixture) -> Reference:
    """Inverse of `to_dict`, for the data and the model that it was made of.

    Raises
    ------
    ValueError
        It is of other data or another model.
    """
    if data["digest"] != digest(x, model):
        raise ValueError("it is of other data, or of another model")
    names = (*QUANTITIES[: len(model.parameters)], LOG_DENSITY)
    figures = tuple(
        Known(
            name,
            Figure(*data["figures"][name]["mean"]),
            Figure(*data["figures"][name]["sd"]),
            {float(p): Figure(*pair) for p, pair in data["figures"][name]["quantiles"].items()},
        )
        for name in names
    )
    margins = {
        name: Margin(np.array(one["x"]), np.array(one["y"]))
        for name, one in data["margins"].items()
    }
    return Reference(
        np.sort(np.asarray(x, dtype=float)),
        model,
        np.array(data["mode"]),
        np.array(data["scale"]),
        figures,
        margins,
        dict(data["made"]),
    )


def _pair(figure: Figure) -> list[float]:
    return [figure.value, figure.error]

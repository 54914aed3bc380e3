"""Unconstrained points: the parameters they stand for, and a library's density at them."""

from typing import Any, Callable, Dict, Mapping

import numpy as np

from gmixbench.record import Density
from gmixbench.spec import Mixture

VARIABLES = ("means", "sigmas", "theta")
"""Names that a model's variables have in every library; the last two in a general mixture."""


def constrained(model: Mixture, points: np.ndarray) -> np.ndarray:
    """Parameters at unconstrained points; both have shape (..., d), as `Mixture` has the scales."""
    means = points[..., :2]
    if model.ordered:
        means = np.stack([points[..., 0], points[..., 0] + np.exp(points[..., 1])], axis=-1)
    if model.spread is None:
        return means
    weight = 1.0 / (1.0 + np.exp(-points[..., 4:]))
    return np.concatenate([means, np.exp(points[..., 2:4]), weight], axis=-1)


def by_variable(model: Mixture, values: Any) -> Dict[str, Any]:
    """Parameters, or a point, shape (..., d), by the names that variables have in each library."""
    if model.spread is None:
        return {"means": values}
    return dict(zip(VARIABLES, (values[..., :2], values[..., 2:4], values[..., 4])))


def joined(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draws of every variable as one array, shape (chains, draws, d); undoes `by_variable`."""
    parts = [np.asarray(values[name]) for name in VARIABLES if name in values]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=-1)


def drawn(parameters: np.ndarray) -> Dict[str, Any]:
    """Fields of `Draws` that hold parameters, shape (chains, draws, d)."""
    general = parameters.shape[-1] > 2
    return {"means": parameters[..., :2], "others": parameters[..., 2:] if general else None}


def density_at(evaluate: Callable[[np.ndarray], Any], points: np.ndarray) -> Density:
    """What a backend's evaluator gives at unconstrained points, shape (k, d)."""
    values, gradients = zip(*map(evaluate, points))
    return Density(points=points, values=np.array(values), gradients=np.array(gradients))

"""Unconstrained points: the means they stand for, and a library's density at them."""

from typing import Any, Callable

import numpy as np

from gmixbench.record import Density
from gmixbench.spec import Mixture


def constrained(model: Mixture, points: np.ndarray) -> np.ndarray:
    """Means at unconstrained points; both have shape (..., 2), as `Mixture` defines the scales."""
    if not model.ordered:
        return points
    return np.stack([points[..., 0], points[..., 0] + np.exp(points[..., 1])], axis=-1)


def density_at(evaluate: Callable[[np.ndarray], Any], points: np.ndarray) -> Density:
    """What a backend's evaluator gives at unconstrained points, shape (k, 2)."""
    values, gradients = zip(*map(evaluate, points))
    return Density(points=points, values=np.array(values), gradients=np.array(gradients))

"""From the unconstrained scale of a job's points to the means a library starts from."""

import numpy as np

from gmixbench.spec import Mixture


def constrained(model: Mixture, points: np.ndarray) -> np.ndarray:
    """Means at unconstrained points; both have shape (..., 2), as `Mixture` defines the scales."""
    if not model.ordered:
        return points
    return np.stack([points[..., 0], points[..., 0] + np.exp(points[..., 1])], axis=-1)

"""What is known of a posterior's quantities, exactly or by long runs, each with its error."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

QUANTITIES = (
    "smaller mean",
    "larger mean",
    "first standard deviation",
    "second standard deviation",
    "first weight",
)
"""Label-invariant quantities of draws, by the place of the parameter they are made of."""

LOG_DENSITY = "log density"
"""The log joint density on the constrained scale, in nats."""

PROBABILITIES = (0.05, 0.95)
"""Quantiles that draws are held against."""


@dataclass(frozen=True)
class Figure:
    """A number, and how far off it may be."""

    value: float
    error: float


@dataclass(frozen=True)
class Known:
    """Figures of one quantity; `quantiles` by probability, none of the log density."""

    name: str
    mean: Figure
    sd: Figure
    quantiles: Mapping[float, Figure] = field(default_factory=dict)


def label_invariant(parameters: np.ndarray) -> dict[str, np.ndarray]:
    """Quantities of draws of shape (..., d), each of shape (...,)."""
    means = np.sort(parameters[..., :2], axis=-1)
    columns = np.concatenate([means, parameters[..., 2:]], axis=-1)
    count = parameters.shape[-1]
    return {name: columns[..., k] for k, name in enumerate(QUANTITIES[:count])}

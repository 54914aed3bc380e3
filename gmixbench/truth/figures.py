"""Figures of a posterior from the cells of its quadrature, and how far off each may be."""

import math
from dataclasses import dataclass

import numpy as np

from gmixbench.truth import marginal
from gmixbench.truth.cells import Cells, W
from gmixbench.truth.marginal import Marginal

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are listed."""

SETTLED = 1e-9
"""Change, in nats or in standard deviations, below which halving changes nothing."""

QUANTILE_SETTLED = 20 * SETTLED
"""The same for quantiles, which converge as fast but from farther: the finer is far nearer."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of the half plane m1 < m2, where column 0 is the smaller and 1 the larger mean.

    `log_evidence` (nats) is that of `ordered`; `mean` and `sd` have shape (2,), `quantiles` has
    shape (probabilities, 2); `log_density` holds mean and sd of the log joint density on the
    constrained scale, in nats.
    """

    log_evidence: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    quantiles: np.ndarray
    log_density: np.ndarray


def figures_of(regions: tuple[Cells, ...]) -> tuple[Figures, Marginal, Marginal]:
    """Figures, and the distributions of the smaller and the larger mean, of all cells together."""
    low = np.concatenate([region.low for region in regions])
    size = np.concatenate([region.size for region in regions])
    joint = np.concatenate([region.joint for region in regions])
    across = np.concatenate([region.across for region in regions])
    upward = np.concatenate([region.upward for region in regions])
    top = float(across.max())
    weight = np.exp(across - top) * W[:, None] * W
    total = float(weight.sum())
    smaller = marginal.collect(low[:, 0], size[:, 0], np.exp(across - top) @ W / total)
    larger = marginal.collect(
        low[:, 1], size[:, 1], np.einsum("cij,i->cj", np.exp(upward - top), W) / total
    )
    centre = float((weight * (joint - top)).sum() / total)
    variance = float((weight * (joint - top - centre) ** 2).sum() / total)
    quantiles = [margin.quantile(np.array(PROBABILITIES)) for margin in (smaller, larger)]
    return (
        Figures(
            log_evidence=np.array(top + math.log(total)),
            mean=np.array([smaller.mean, larger.mean]),
            sd=np.array([smaller.sd, larger.sd]),
            quantiles=np.stack(quantiles, axis=1),
            log_density=np.array([top + centre, math.sqrt(variance)]),
        ),
        smaller,
        larger,
    )


def error_of(fine: Figures, coarse: Figures, rounding: float) -> Figures:
    """How far off the figures of the finer cells may be, by the coarser ones and by rounding.

    Parameters
    ----------
    rounding : nats by which a log density may be off
    """
    # A log density off by `rounding` shifts probabilities by that share, and so a mean or a
    # quantile by about as many standard deviations.
    floor = {
        "log_evidence": np.array(rounding),
        "mean": rounding * fine.sd + np.spacing(np.abs(fine.mean)),
        "sd": rounding * fine.sd,
        "quantiles": 10 * rounding * fine.sd + np.spacing(np.abs(fine.quantiles)),
        "log_density": np.full(2, rounding),
    }
    return Figures(
        **{
            name: np.abs(getattr(fine, name) - getattr(coarse, name)) + least
            for name, least in floor.items()
        }
    )


def settled(error: Figures, figures: Figures, most: float) -> bool:
    """Whether no error exceeds `most`, in nats or standard deviations; quantiles have more room."""
    in_sd = figures.sd + np.spacing(np.abs(figures.mean)) / most
    scales: dict[str, np.ndarray | float] = {
        "log_evidence": 1.0,
        "mean": in_sd,
        "sd": in_sd,
        "quantiles": QUANTILE_SETTLED / SETTLED * in_sd,
        "log_density": 1.0,
    }
    return all(bool(np.all(getattr(error, name) <= most * scale)) for name, scale in scales.items())

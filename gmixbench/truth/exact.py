"""The exact posterior of both models, as one noun: what is known of it, and how to draw from it.

The free-means posterior is symmetric in its labels, so the half plane m1 < m2 holds everything:
`ordered` is that half, `unordered` is it and its mirror image.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from gmixbench.spec import MODELS, Mixture, Prior
from gmixbench.truth import density, variational
from gmixbench.truth.cells import Cells
from gmixbench.truth.condense import around, condense
from gmixbench.truth.draws import draw
from gmixbench.truth.figures import PROBABILITIES, Figures
from gmixbench.truth.known import LOG_DENSITY, QUANTITIES, Figure, Known
from gmixbench.truth.known import PROBABILITIES as JUDGED
from gmixbench.truth.marginal import Marginal
from gmixbench.truth.variational import Normal


@dataclass(frozen=True, eq=False)
class Exact:
    """Exact posterior of both models for one data set.

    `x` are the sorted observations. `smaller` and `larger` are the distributions of the smaller
    and the larger mean, `labelled` that of each mean of `unordered`. `modes` (k, 2) are the modes
    with m1 <= m2, best first; `valley` is the log density at the best point on m1 = m2 less that
    at the mode, 0 where the mode is on it. `error` holds how far off each of `figures` may be.
    """

    x: np.ndarray
    sigma: float
    prior: Prior
    figures: Figures
    error: Figures
    smaller: Marginal
    larger: Marginal
    labelled: Marginal
    modes: np.ndarray
    valley: float
    valley_error: float
    best: dict[str, dict[str, Normal]]
    peak: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    regions: tuple[Cells, ...]

    def known(self) -> tuple[Known, ...]:
        """Figures of the smaller mean, the larger mean and the log density."""
        figures, error = self.figures, self.error

        def figure(name: str, *at: int) -> Figure:
            return Figure(float(getattr(figures, name)[at]), float(getattr(error, name)[at]))

        rows = {p: PROBABILITIES.index(p) for p in JUDGED}
        means = tuple(
            Known(
                name,
                figure("mean", k),
                figure("sd", k),
                {p: figure("quantiles", row, k) for p, row in rows.items()},
            )
            for k, name in enumerate(QUANTITIES[:2])
        )
        return (*means, Known(LOG_DENSITY, figure("log_density", 0), figure("log_density", 1)))

    @property
    def log_density(self) -> float:
        """Mean log density, in nats."""
        return float(self.figures.log_density[0])

    def log_evidence(self, model: Mixture) -> float:
        """Log evidence in nats; `ordered` has log 2 less, as it is not renormalized."""
        return float(self.figures.log_evidence) + (0.0 if model.ordered else math.log(2))

    def best_normal(self, model: Mixture, family: str) -> Normal:
        """Normal of least loss of one of `FAMILIES`, on the model's unconstrained scale."""
        return self.best[family][model.name]

    def laplace(self, model: Mixture) -> Normal | None:
        """Laplace's normal at `mode`, or `None` where the density does not bend down there."""
        return variational.laplace(model, self.x, self.mode(model), self.scale(model))

    def mode(self, model: Mixture) -> np.ndarray:
        """Mode on the unconstrained scale, log-Jacobian included, shape (2,).

        For `ordered` the one next to the posterior mean there.
        """
        return self.peak[model.name]

    def scale(self, model: Mixture) -> np.ndarray:
        """Standard deviations on the unconstrained scale, of m1 < m2 alone, shape (2,)."""
        return self.spread[model.name]

    def log_joint(self, means: np.ndarray) -> np.ndarray:
        """Log joint density on the constrained scale, in nats, at means of shape (k, 2)."""
        means = np.sort(means, axis=1)
        data = condense(self.x, self.sigma, around(means))
        return density.log_joint(_model("unordered", self), data.x, means, data.weights)

    def pdf(self, model: Mixture, means: np.ndarray) -> np.ndarray:
        """Posterior density at means of shape (k, 2); 0 for `ordered` where m1 > m2."""
        means = np.asarray(means, dtype=float)
        value = np.exp(self.log_joint(means) - self.log_evidence(model))
        return np.asarray(np.where(model.ordered & (means[:, 0] > means[:, 1]), 0.0, value))

    def draws(self, model: Mixture, count: int, rng: np.random.Generator) -> np.ndarray:
        """Independent draws of the means, shape (count, 2)."""
        means = draw(self.regions, count, rng)
        if not model.ordered:
            mirrored = rng.random(count) < 0.5
            means[mirrored] = means[mirrored, ::-1]
        return means


def _model(name: str, exact: Exact) -> Mixture:
    return replace(MODELS[name], sigma=exact.sigma, prior=exact.prior)

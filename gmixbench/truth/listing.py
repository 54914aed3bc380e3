"""Figures of the exact posterior of one model as plain numbers, each with its error."""

from typing import Any

import numpy as np

from gmixbench.spec import Mixture
from gmixbench.truth.exact import Exact
from gmixbench.truth.figures import PROBABILITIES

UNKNOWN = 1e-3
"""Standard deviations of error beyond which a quantile is not told."""

ROUNDING, TINY = 1e-15, 1e-300
"""Rounding of a CDF, and least density to divide by."""


def listing(exact: Exact, model: Mixture) -> dict[str, Any]:
    """Figures of one model; `error` holds, under the same names, how far off each may be.

    Means, standard deviations and quantiles are of m1 and m2 as the model has them: the smaller
    and the larger mean for `ordered`, two equal distributions for `unordered`. A quantile between
    modes so far apart that it can't be told is `None`.
    """
    figures, error, best = exact.figures, exact.error, exact.best_normal(model, "mean-field")
    full, laplace = exact.best_normal(model, "full-rank"), exact.laplace(model)
    if model.ordered:
        mean, sd, quantiles = figures.mean, figures.sd, figures.quantiles
        mean_error, sd_error, quantile_error = error.mean, error.sd, error.quantiles
        mass = [1.0]
    else:
        margin = exact.labelled
        mean, sd = np.full(2, margin.mean), np.full(2, margin.sd)
        quantiles = np.repeat(margin.quantile(np.array(PROBABILITIES))[:, None], 2, axis=1)
        mean_error = np.full(2, error.mean.max())
        sd_error = np.full(2, error.sd.max() + error.mean.max())
        # A quantile is known as well as the CDF is, over the density there: next to nothing
        # between modes far apart, where the median lies.
        slopes = [
            exact.smaller.pdf(figures.quantiles[:, 0]),
            exact.larger.pdf(figures.quantiles[:, 1]),
        ]
        cdf_error = float(np.max(error.quantiles * np.stack(slopes, axis=1))) + ROUNDING
        quantile_error = cdf_error / np.maximum(margin.pdf(quantiles), TINY)
        quantiles[quantile_error > UNKNOWN * margin.sd] = np.nan
        mass = [0.5, 0.5]
    return {
        "log_evidence": exact.log_evidence(model),
        "mean": mean.tolist(),
        "sd": sd.tolist(),
        "quantiles": _by_probability(quantiles),
        "log_density": figures.log_density.tolist(),
        "mode": exact.modes[0].tolist(),
        "mode_mass": mass,
        "valley": exact.valley,
        "best_mean_field_loss": best.loss,
        "best_mean_field": {
            "location": best.location.tolist(),
            "scale": np.diag(best.cholesky).tolist(),
        },
        "best_full_rank_loss": full.loss,
        "best_full_rank": {
            "location": full.location.tolist(),
            "cholesky": full.cholesky.tolist(),
        },
        "laplace_loss": None if laplace is None else laplace.loss,
        "error": {
            "log_evidence": float(error.log_evidence),
            "mean": mean_error.tolist(),
            "sd": sd_error.tolist(),
            "quantiles": _by_probability(np.where(np.isnan(quantiles), np.nan, quantile_error)),
            "log_density": error.log_density.tolist(),
            "valley": exact.valley_error,
            "best_mean_field_loss": best.error,
            "best_full_rank_loss": full.error,
            "laplace_loss": None if laplace is None else laplace.error,
        },
    }


def _by_probability(values: np.ndarray) -> dict[str, list[float | None]]:
    rows = [[None if np.isnan(value) else float(value) for value in row] for row in values]
    return {f"{p:g}": row for p, row in zip(PROBABILITIES, rows, strict=True)}

"""The exact posterior of both models, by quadrature over m1 < m2.

The free-means posterior is symmetric in its labels, so the half plane m1 < m2 holds everything:
`ordered` is that half, `unordered` is it and its mirror image. Each figure comes with an error:
how much halving the quadrature's step changed it, and rounding.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from gmixbench.spec import MODELS, Mixture, Prior
from gmixbench.truth import cells, density, marginal, modes, variational
from gmixbench.truth.cells import Cells, UnreachableError, W
from gmixbench.truth.condense import Observe, around, condense, observer
from gmixbench.truth.draws import draw
from gmixbench.truth.known import LOG_DENSITY, QUANTITIES, Figure, Known
from gmixbench.truth.known import PROBABILITIES as JUDGED
from gmixbench.truth.marginal import Marginal
from gmixbench.truth.variational import Normal

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are listed."""

STEPS = (3.0, 1.5, 0.75, 0.375)
"""Sizes of a cell in conditional standard deviations, tried until halving changes nothing."""

SETTLED = 1e-9
"""Change, in nats or in standard deviations, below which halving changes nothing."""

QUANTILE_SETTLED = 20 * SETTLED
"""The same for quantiles, which converge as fast but from farther: the finer is far nearer."""

FARTHEST = 1e8
"""Standard deviations at which a log density, half their square, is rounded to whole nats."""

DEEP = 15.0
"""Depth of a valley, in nats, that no mean-field normal of least loss would straddle."""


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


def solve(x: np.ndarray, model: Mixture) -> Exact:
    """Exact posterior of both models of two means, with the model's sigma and prior.

    Parameters
    ----------
    x : (n,) finite observations, n >= 1

    Raises
    ------
    UnreachableError
        The posterior's region can't be covered, or halving the step keeps changing the figures; or
        the model is a general mixture.
    """
    if model.spread is not None:
        raise UnreachableError(
            f"{model.name} has {len(model.parameters)} parameters, and the exact posterior is for "
            f"the two means of {' and '.join(MODELS)}"
        )
    # Around zero: or data far from it would leave few digits to their differences.
    x = np.sort(np.asarray(x, dtype=float))
    _refuse_extremes(x, model)
    origin = float(np.median(x))
    prior = replace(model.prior, mean=model.prior.mean - origin)
    return _moved(_solve(x - origin, model.sigma, prior), x, model.prior, origin)


def _refuse_extremes(x: np.ndarray, model: Mixture) -> None:
    prior = model.prior
    if not all(1e-100 < unit < 1e100 for unit in (model.sigma, prior.scale)):
        raise UnreachableError("sigma and the prior's scale must lie between 1e-100 and 1e100")
    with np.errstate(over="ignore"):
        spread = (x[-1] - x[0]) / model.sigma
        distance = np.max(np.abs(x[[0, -1]] - prior.mean)) / prior.scale
    for far, what in ((spread, "span {:.2g} sigma"), (distance, "lie {:.2g} scales off the prior")):
        if far > FARTHEST:
            raise UnreachableError(
                f"the data {what.format(far)}: beyond {FARTHEST:g} double precision can't tell one "
                "mean from the next"
            )


def _solve(x: np.ndarray, sigma: float, prior: Prior) -> Exact:
    base = replace(MODELS["unordered"], sigma=sigma, prior=prior)
    observe = observer(x, base.sigma)
    tops, values = _modes(base, x, observe)
    widths = np.array([_widths(base, observe, top) for top in tops])
    rounding = 8 * float(np.spacing(abs(values[0])))
    straight = modes.diagonal(base, x)
    at_diagonal = float(density.log_joint(base, x, straight[None])[0])
    valley = min(0.0, at_diagonal - values[0])
    floor = values[0] - cells.CUT
    straddles = at_diagonal > floor
    coarse: Figures | None = None
    for step in STEPS:
        regions = _regions(base, observe, tops, widths, step, floor, straddles=straddles)
        figures, smaller, larger = _figures(regions)
        if coarse is not None:
            error = _error(figures, coarse, rounding)
            if _settled(error, figures, max(SETTLED, 16 * rounding)):
                break
        coarse = figures
    else:
        raise UnreachableError("halving the step of the quadrature keeps changing the posterior")
    valley = 0.0 if -valley <= 4 * rounding else valley
    labelled = marginal.blend(smaller, larger)
    inner = _unconstrained(regions)
    ordered = replace(base, name="ordered", ordered=True)
    starts = list(zip(tops, widths, strict=True))
    narrow = [
        _on_unconstrained(ordered, top, width) for top, width in zip(tops, widths, strict=True)
    ]
    if valley > -DEEP:
        starts.append((np.full(2, labelled.mean), np.full(2, labelled.sd)))
    mean_field = {
        "unordered": variational.best_mean_field(base, x, starts),
        "ordered": variational.best_mean_field(ordered, x, [inner, *narrow]),
    }
    # A full-rank normal may lie along both modes, where one of independent coordinates can't.
    along = [_along(labelled, smaller, larger)] if valley > -DEEP else []
    full_rank = {
        model.name: variational.best_full_rank(
            model, x, [(fit.location, fit.cholesky), *(along if model is base else [])]
        )
        for model, fit in ((base, mean_field["unordered"]), (ordered, mean_field["ordered"]))
    }
    return Exact(
        x=x,
        sigma=base.sigma,
        prior=base.prior,
        figures=figures,
        error=error,
        smaller=smaller,
        larger=larger,
        labelled=labelled,
        modes=tops,
        valley=valley,
        valley_error=2 * rounding,
        best={"mean-field": mean_field, "full-rank": full_rank},
        peak={"unordered": tops[0], "ordered": _ordered_peak(ordered, observe, *inner)},
        spread={"unordered": figures.sd, "ordered": inner[1]},
        regions=regions,
    )


def _along(
    labelled: Marginal, smaller: Marginal, larger: Marginal
) -> tuple[np.ndarray, np.ndarray]:
    """Location and factor of a normal with the moments of both modes of `unordered` together."""
    # As if the smaller and the larger mean were uncorrelated: a start need not be exact.
    covariance = smaller.mean * larger.mean - labelled.mean**2
    moments = np.array([[labelled.sd**2, covariance], [covariance, labelled.sd**2]])
    return np.full(2, labelled.mean), np.linalg.cholesky(moments)


def _moved(solved: Exact, x: np.ndarray, prior: Prior, origin: float) -> Exact:
    def margin(found: Marginal) -> Marginal:
        return replace(found, low=found.low + origin, mean=found.mean + origin)

    def error(size: np.ndarray, figure: np.ndarray) -> np.ndarray:
        return np.asarray(size + np.spacing(np.abs(figure)))

    figures = replace(
        solved.figures,
        mean=solved.figures.mean + origin,
        quantiles=solved.figures.quantiles + origin,
    )
    # The second unconstrained coordinate of `ordered` is a distance: it stays.
    by = {"unordered": np.full(2, origin), "ordered": np.array([origin, 0.0])}
    return replace(
        solved,
        x=x,
        prior=prior,
        figures=figures,
        error=replace(
            solved.error,
            mean=error(solved.error.mean, figures.mean),
            quantiles=error(solved.error.quantiles, figures.quantiles),
        ),
        smaller=margin(solved.smaller),
        larger=margin(solved.larger),
        labelled=margin(solved.labelled),
        modes=solved.modes + origin,
        best={
            family: {
                name: replace(fit, location=fit.location + by[name]) for name, fit in fits.items()
            }
            for family, fits in solved.best.items()
        },
        peak={name: peak + by[name] for name, peak in solved.peak.items()},
        regions=tuple(replace(region, low=region.low + origin) for region in solved.regions),
    )


def _model(name: str, exact: Exact) -> Mixture:
    return replace(MODELS[name], sigma=exact.sigma, prior=exact.prior)


def _modes(model: Mixture, x: np.ndarray, observe: Observe) -> tuple[np.ndarray, list[float]]:
    unit = model.sigma / math.sqrt(len(x))
    reach = 8 * model.sigma / len(x) ** 0.25
    found: list[tuple[float, np.ndarray]] = []
    for rough in modes.candidates(model, x):
        top = rough
        for _ in range(2):
            # Twice, since the first may end outside of what its observations hold for.
            data = observe(around(top[None], reach))
            top = np.sort(modes.polish(model, data, top, unit))
        found.append((float(density.log_joint(model, data.x, top[None], data.weights)[0]), top))
    found.sort(key=lambda pair: -pair[0])
    near = [(value, top) for value, top in found if value > found[0][0] - cells.CUT]
    return np.array([top for _, top in near]), [value for value, _ in near]


def _widths(model: Mixture, observe: Observe, top: np.ndarray) -> np.ndarray:
    # How far along each axis the log density falls by 1/2, as one standard deviation does; found
    # by steps, since at a mode on the diagonal the curvature may vanish.
    def fall(axis: int, step: float) -> float:
        ends = top + step * np.array([[-1.0], [1.0]]) * np.eye(2)[axis]
        data = observe(around(np.concatenate([ends, top[None]])))
        low, high, peak = density.log_joint(
            model, data.x, np.concatenate([ends, top[None]]), data.weights
        )
        return float(peak - min(low, high))

    widths = np.empty(2)
    for axis in range(2):
        count = float(observe(around(top[None])).weights.sum())
        step = 1.0 / math.sqrt(count / model.sigma**2 + 1.0 / model.prior.scale**2)
        while fall(axis, 2 * step) < 0.5:
            step *= 2
        for ratio in (math.sqrt(2), 2**0.25, 2**0.125):
            step *= ratio if fall(axis, ratio * step) < 0.5 else 1.0
        widths[axis] = step
    return widths


def _regions(
    model: Mixture,
    observe: Observe,
    tops: np.ndarray,
    widths: np.ndarray,
    step: float,
    floor: float,
    *,
    straddles: bool,
) -> tuple[Cells, ...]:
    def fill(members: list[int]) -> Cells:
        size = step * widths[members].min(axis=0)
        return cells.flood(model, observe, tops[members], size, floor, straddles=straddles)

    groups: list[tuple[list[int], Cells]] = []
    for k, top in enumerate(tops):
        holding = [members for members, region in groups if region.holds(top)]
        if holding:
            holding[0].append(k)
            continue
        members, region = [k], fill([k])
        # Cells of its own size may cross a saddle that coarser ones did not see: then the two are
        # one region, and must be filled by one lattice or they would count twice.
        while met := [group for group in groups if any(map(region.holds, tops[group[0]]))]:
            groups = [group for group in groups if group not in met]
            members += [k for others, _ in met for k in others]
            region = fill(members)
        groups.append((members, region))
    return tuple(region for _, region in groups)


def _figures(regions: tuple[Cells, ...]) -> tuple[Figures, Marginal, Marginal]:
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


def _error(fine: Figures, coarse: Figures, rounding: float) -> Figures:
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


def _settled(error: Figures, figures: Figures, most: float) -> bool:
    in_sd = figures.sd + np.spacing(np.abs(figures.mean)) / most
    scales: dict[str, np.ndarray | float] = {
        "log_evidence": 1.0,
        "mean": in_sd,
        "sd": in_sd,
        "quantiles": QUANTILE_SETTLED / SETTLED * in_sd,
        "log_density": 1.0,
    }
    return all(bool(np.all(getattr(error, name) <= most * scale)) for name, scale in scales.items())


def _on_unconstrained(
    model: Mixture, top: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # By the slope of the logarithm; a mode on the diagonal is moved off it by its own width.
    apart = max(float(top[1] - top[0]), float(width[1]))
    return density.unconstrain(model, np.array([[top[0], top[0] + apart]]))[0], np.array(
        [width[0], min(1.0, float(width[1]) / apart)]
    )


def _ordered_peak(
    model: Mixture, observe: Observe, location: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    corners = location + 4 * scale * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    data = observe(around(density.constrain(model, corners)))
    return modes.polish(model, data, location, scale)


def _unconstrained(regions: tuple[Cells, ...]) -> tuple[np.ndarray, np.ndarray]:
    points, logs = [], []
    for region in regions:
        means = cells.places(region.low, region.size, region.half)
        points.append(np.stack([means[..., 0], np.log(means[..., 1] - means[..., 0])], axis=-1))
        logs.append(region.across + np.log(W[:, None] * W))
    point, log = np.concatenate(points).reshape(-1, 2), np.concatenate(logs).ravel()
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ point
    return mean, np.sqrt(weight @ (point - mean) ** 2)

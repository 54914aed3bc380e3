"""Solve for the exact posterior of both models, by quadrature over m1 < m2.

Each figure comes with an error: how much halving the quadrature's step changed it, and rounding.
"""

import math
from dataclasses import replace

import numpy as np

from gmixbench.spec import MODELS, Mixture, Prior
from gmixbench.truth import cells, density, marginal, modes, variational
from gmixbench.truth.cells import Cells, UnreachableError, W
from gmixbench.truth.condense import Observe, around, observer
from gmixbench.truth.exact import Exact
from gmixbench.truth.figures import SETTLED, Figures, error_of, figures_of, settled
from gmixbench.truth.marginal import Marginal

STEPS = (3.0, 1.5, 0.75, 0.375)
"""Sizes of a cell in conditional standard deviations, tried until halving changes nothing."""

FARTHEST = 1e8
"""Standard deviations at which a log density, half their square, is rounded to whole nats."""

DEEP = 15.0
"""Depth of a valley, in nats, that no mean-field normal of least loss would straddle."""


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
        figures, smaller, larger = figures_of(regions)
        if coarse is not None:
            error = error_of(figures, coarse, rounding)
            if settled(error, figures, max(SETTLED, 16 * rounding)):
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

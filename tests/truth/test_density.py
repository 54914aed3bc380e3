"""The written density against 50 digits of mpmath."""

import mpmath
import numpy as np
import pytest

from gmixbench.spec import MODELS, Mixture, Prior
from gmixbench.truth import density

X = np.array([-3.25, -1.0, -0.5, 0.125, 0.75, 2.0, 1e3])
POINTS = np.array(
    [[0.3, -0.2], [-1.1, 0.7], [2.5, 2.0], [0.0, 0.0], [-60.0, 4.5], [1e4, -3.0], [-200.0, 6.2]]
)
MIXTURES = [
    Mixture("unordered", ordered=False),
    Mixture("ordered", ordered=True),
    Mixture("ordered", ordered=True, sigma=0.05, prior=Prior(1.5, 300.0)),
]


def precise(model: Mixture, point: tuple[mpmath.mpf, mpmath.mpf]) -> mpmath.mpf:
    """Log density on the unconstrained scale, term by term as the module's docstring has it."""
    first, second, jacobian = point[0], point[1], mpmath.mpf(0)
    if model.ordered:
        second, jacobian = point[0] + mpmath.exp(point[1]), point[1]

    def normal(x: float, mean: mpmath.mpf, sd: float) -> mpmath.mpf:
        return mpmath.npdf(mpmath.mpf(x), mean, mpmath.mpf(sd))

    total = jacobian
    for mean in (first, second):
        total += mpmath.log(normal(model.prior.mean, mean, model.prior.scale))
    for x in X:
        pair = normal(x, first, model.sigma) + normal(x, second, model.sigma)
        total += mpmath.log(pair / 2)
    return total


@pytest.mark.parametrize("model", MIXTURES)
@pytest.mark.parametrize("point", POINTS.tolist())
def test_value_and_gradient_agree_with_50_digits(model: Mixture, point: list[float]) -> None:
    with mpmath.workdps(50):
        exact = [mpmath.mpf(value) for value in point]
        value = precise(model, tuple(exact))
        gradient = [
            mpmath.diff(
                lambda *at: precise(model, at), tuple(exact), tuple(np.eye(2, dtype=int)[k])
            )
            for k in range(2)
        ]
    values, gradients = density.log_density(model, X, np.array([point]))
    # Ten terms of this size, each rounded a few times.
    assert values[0] == pytest.approx(float(value), rel=1e-14, abs=1e-13)
    np.testing.assert_allclose(
        gradients[0], [float(part) for part in gradient], rtol=1e-12, atol=1e-12
    )


def test_a_plain_sum_would_not_do() -> None:
    """Negative control: without log-sum-exp the far point is lost."""
    point = np.array([[1e4, -1e4]])
    with np.errstate(divide="ignore"):
        plain = np.log(0.5 * np.exp(-0.5 * (X - 1e4) ** 2) + 0.5 * np.exp(-0.5 * (X + 1e4) ** 2))
    assert not np.all(np.isfinite(plain))
    assert np.all(np.isfinite(density.log_density(MODELS["unordered"], X, point)[0]))


def test_vectorized_over_points_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(33, 2))
    one_by_one = [density.log_density(MODELS["ordered"], X, point[None]) for point in points]
    monkeypatch.setattr(density, "BLOCK", 4)
    values, gradients = density.log_density(MODELS["ordered"], X, points)
    np.testing.assert_allclose(values, [value[0] for value, _ in one_by_one], rtol=1e-14)
    np.testing.assert_allclose(gradients, [slope[0] for _, slope in one_by_one], rtol=1e-12)


def test_weights_count_observations() -> None:
    points = np.array([[-1.0, 0.5], [0.2, 1.4]])
    twice = density.log_density(MODELS["ordered"], np.repeat(X, 2), points)
    weighted = density.log_density(MODELS["ordered"], X, points, np.full(len(X), 2.0))
    np.testing.assert_allclose(weighted[0], twice[0], rtol=1e-14)
    np.testing.assert_allclose(weighted[1], twice[1], rtol=1e-12)


def test_constrain_and_back() -> None:
    points = np.array([[-1.0, 0.5], [2.0, -3.0]])
    for model in MODELS.values():
        there = density.constrain(model, points)
        np.testing.assert_allclose(density.unconstrain(model, there), points, rtol=1e-12)
    with pytest.raises(ValueError, match="m1 < m2"):
        density.unconstrain(MODELS["ordered"], np.array([[1.0, 1.0]]))

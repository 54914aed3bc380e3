"""A normal found from draws and their log density."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gmixbench.measured.normals import normal_of

LOCATION = np.array([3.0, -400.0])
FACTOR = np.array([[0.02, 0.0], [-7.0, 30.0]])


def draws(factor=FACTOR, count=500):
    return LOCATION + np.random.default_rng(0).normal(size=(count, 2)) @ factor.T


def told(points, factor=FACTOR):
    return multivariate_normal(LOCATION, factor @ factor.T).logpdf(points)


def test_it_is_the_one_that_was_drawn_from():
    location, cholesky = normal_of(draws(), told(draws()))
    np.testing.assert_allclose(location, LOCATION, rtol=1e-10)
    np.testing.assert_allclose(cholesky, FACTOR, rtol=1e-9, atol=1e-12)


def test_it_is_found_from_what_is_drawn_whatever_factor_was_meant():
    """A library that draws with the transpose of a factor draws from another normal."""
    upper = FACTOR.T  # its product with its transpose is not that of FACTOR
    standard = np.random.default_rng(1).normal(size=(500, 2))
    points = LOCATION + standard @ upper.T
    density = -0.5 * np.sum(standard**2, axis=1)  # a constant is no matter
    _, cholesky = normal_of(points, density)
    np.testing.assert_allclose(cholesky @ cholesky.T, upper @ upper.T, rtol=1e-9)
    assert not np.allclose(cholesky @ cholesky.T, FACTOR @ FACTOR.T)


@pytest.mark.parametrize(
    ("points", "density", "words"),
    [
        (draws(), np.logaddexp(told(draws()), told(draws() + np.array([0.1, 0.0]))), "no normal"),
        (draws(), -told(draws()), "no normal"),
        (draws(count=5), told(draws(count=5)), "6 finite draws"),
        (draws(), np.full(500, np.nan), "6 finite draws"),
        (np.ones((500, 2)), np.zeros(500), "do not vary"),
    ],
)
def test_what_is_no_normal_is_refused(points, density, words):
    with pytest.raises(ValueError, match=words):
        normal_of(points, density)

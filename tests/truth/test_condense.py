"""A few weighted observations must say what all of them say."""

import numpy as np
import pytest

from gmixbench.spec import Mixture
from gmixbench.truth import condense as module
from gmixbench.truth import density
from gmixbench.truth.condense import Box, around, condense, observer

pytestmark = pytest.mark.usefixtures("solved_anew")


def data(n: int, separation: float, location: float, sigma: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    labels = rng.choice([-separation, separation], n)
    return np.sort(location + labels + sigma * rng.normal(size=n))


CASES = [
    (50_000, 1.0, 0.0, 1.0, 0.05),
    (50_000, 1.0, 0.0, 1.0, 1.5),
    (50_000, 0.0, 0.0, 1.0, 0.3),
    (50_000, 300.0, 1e5, 1.0, 0.1),
    (50_000, 3.0, 0.0, 1e-3, 1e-3),
]


@pytest.mark.parametrize(("n", "separation", "location", "sigma", "reach"), CASES)
def test_log_likelihood_is_kept_to_rounding(
    n: int, separation: float, location: float, sigma: float, reach: float
) -> None:
    x, model = (
        data(n, separation, location, sigma),
        Mixture("unordered", ordered=False, sigma=sigma),
    )
    box = around(np.array([[location - separation, location + separation]]), reach)
    few = condense(x, sigma, box)
    means = np.random.default_rng(4).uniform(box.low, box.high, (20, 2))
    want = density.log_joint(model, x, means)
    have = density.log_joint(model, few.x, means, few.weights)
    assert len(few.x) < n / 50
    # A sum of n terms is itself only good to a few roundings of its size.
    np.testing.assert_allclose(have, want, rtol=1e-13)
    np.testing.assert_allclose(have - have[0], want - want[0], atol=1e-12 * np.abs(want).max())


def test_outside_of_its_box_it_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: too few points in a bin, or the wrong box, is seen."""
    x, model = data(50_000, 1.0, 0.0, 1.0), Mixture("unordered", ordered=False)
    box = around(np.array([[-1.0, 1.0]]), 0.05)
    means = np.array([[-1.02, 0.97]])
    want = density.log_joint(model, x, means)
    narrow = condense(x, 1.0, Box((-0.01, 0.0), (0.0, 0.01)))
    assert abs(density.log_joint(model, narrow.x, means, narrow.weights) - want)[0] > 1e-6
    monkeypatch.setattr(module, "NODES", 4)
    coarse = condense(x, 1.0, box)
    assert abs(density.log_joint(model, coarse.x, means, coarse.weights) - want)[0] > 1e-6


def test_few_observations_stay_as_they_are() -> None:
    x = np.sort(np.random.default_rng(0).normal(size=40))
    few = condense(x, 1.0, around(np.array([[-1.0, 1.0]]), 0.5))
    assert few.box is None
    np.testing.assert_array_equal(few.x, x)


def test_equal_observations_are_one_of_their_weight() -> None:
    few = condense(np.full(40, 2.5), 1e-3, around(np.array([[2.4, 2.6]]), 0.5))
    assert few.x.tolist() == [2.5]
    assert few.weights.tolist() == [40.0]


def test_observer_keeps_what_still_holds() -> None:
    observe = observer(data(50_000, 1.0, 0.0, 1.0), 1.0)
    small = around(np.array([[-1.0, 1.0]]), 0.1)
    first = observe(small)
    assert first.box is not None
    assert first.box.covers(small)
    assert observe(small) is first
    assert observe(around(np.array([[-1.0, 1.0]]), 1.0)) is not first

"""Where chains start, and where the density is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from gmixbench.lab.points import density_points, starting_points
from gmixbench.spec import MODELS
from gmixbench.truth.density import constrain, log_density


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_chain_starts_at_a_mode(model, exact):
    starts = starting_points(exact, model, "one-mode", 4)
    distance = (starts - exact.mode(model)) / exact.scale(model)
    np.testing.assert_allclose(np.abs(distance), 2.0)
    assert len(np.unique(np.sign(distance), axis=0)) == 4


def test_dispersed_chains_start_in_both_modes_in_turn(exact):
    starts = starting_points(exact, MODELS["unordered"], "dispersed", 5)
    together = starting_points(exact, MODELS["unordered"], "one-mode", 5)
    np.testing.assert_array_equal(starts[::2], together[::2])
    np.testing.assert_array_equal(starts[1::2], together[1::2, ::-1])


def test_ordered_has_one_mode_to_start_at(exact):
    starts = {
        name: starting_points(exact, MODELS["ordered"], name, 4)
        for name in ("dispersed", "one-mode")
    }
    np.testing.assert_array_equal(*starts.values())
    means = constrain(MODELS["ordered"], starts["dispersed"])
    assert np.all(means[:, 0] < means[:, 1])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_density_points_are_the_same_in_every_run(model, exact):
    points = density_points(exact, model)
    assert points.shape == (50, 2)
    assert len(np.unique(points, axis=0)) == 50
    np.testing.assert_array_equal(points, density_points(replace(exact), model))
    values, gradients = log_density(model, exact.x, points)
    assert np.all(np.isfinite(values))
    assert np.all(np.abs(gradients) > 0)

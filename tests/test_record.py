"""What a backend gives is looked at before it becomes a record."""

import numpy as np
import pytest

from gmixbench.record import Counters, Density, Draws, Fit, Run, Timing
from gmixbench.spec import MODELS, Case

DRAWS = Draws(means=np.zeros((2, 5, 2)))
DENSITY = Density(np.zeros((3, 2)), np.zeros(3), np.zeros((3, 2)))

WRONG_RESULTS = {
    "one axis too few": lambda: Draws(np.zeros((5, 2))),
    "three means": lambda: Draws(np.zeros((2, 5, 3))),
    "no draws": lambda: Draws(np.zeros((2, 0, 2))),
    "objects": lambda: Draws(np.full((2, 5, 2), None)),
    "text": lambda: Draws(np.full((2, 5, 2), "a")),
    "energies of other draws": lambda: Draws(np.zeros((2, 5, 2)), energy=np.zeros((2, 4))),
    "a trace by chain": lambda: Fit(np.zeros((1, 7)), np.zeros(2), np.eye(2), np.zeros((4, 2))),
    "scales alone": lambda: Fit(np.zeros(7), np.zeros(2), np.ones(2), np.zeros((4, 2))),
    "one gradient too few": lambda: Density(np.zeros((3, 2)), np.zeros(3), np.zeros((2, 2))),
}


@pytest.mark.parametrize("make", WRONG_RESULTS.values(), ids=WRONG_RESULTS.keys())
def test_a_result_of_another_shape_is_refused(make):
    with pytest.raises(ValueError, match="numbers of shape"):
        make()


@pytest.mark.parametrize(
    ("likelihood", "density", "words"),
    [
        ("mixture", None, "no density of a mixture likelihood"),
        ("discrete", DENSITY, "a density of a discrete likelihood"),
    ],
)
def test_a_density_is_left_out_where_labels_are_sampled_alone(likelihood, density, words):
    case = Case("close", MODELS["ordered"], "pymc", "nuts", likelihood=likelihood)
    with pytest.raises(ValueError, match=words):
        Run(case, Timing(), Counters(), density, DRAWS, environment={})

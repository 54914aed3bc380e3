"""Runs as ArviZ knows them, and as NetCDF."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray
from arviz_base import extract

from gmixbench.disk import case_from_dict
from gmixbench.record import Counters, Density, Draws, Fit, Run, Timing
from gmixbench.report.datatree import to_datatree
from gmixbench.spec import MODELS, AdviSettings, Case

rng = np.random.default_rng(0)
MEANS = rng.normal(size=(4, 30, 2))

NUTS = Run(
    case=Case("close", MODELS["unordered"], "pymc", "nuts"),
    timing=Timing(sample_s=0.25),
    counters=Counters(),
    density=Density(np.zeros((1, 2)), np.zeros(1), np.zeros((1, 2))),
    result=Draws(
        MEANS,
        energy=rng.normal(size=(4, 30)),
        diverging=rng.random((4, 30)) < 0.5,
        at_max_treedepth=np.zeros((4, 30), dtype=bool),
        gradients=rng.integers(1, 9, (4, 30)),
    ),
    environment={"python": "3.13.0"},
    shims=("one",),
)

ADVI = replace(
    NUTS,
    case=Case("close", MODELS["ordered"], "pymc", "advi-matched", AdviSettings()),
    result=Fit(rng.normal(size=50), np.array([0.5, -1.0]), np.diag([0.1, 0.2]), MEANS[0]),
)


def test_draws():
    tree = to_datatree(NUTS)
    posterior = tree["posterior"].to_dataset()
    assert posterior["means"].dims == ("chain", "draw", "mean")
    assert posterior["mean"].values.tolist() == ["m1", "m2"]
    np.testing.assert_array_equal(posterior["means"], MEANS)
    np.testing.assert_array_equal(posterior["smaller"], MEANS.min(axis=-1))
    np.testing.assert_array_equal(posterior["larger"], MEANS.max(axis=-1))
    names = {"energy", "diverging", "reached_max_treedepth", "gradients"}
    assert set(tree["sample_stats"].data_vars) == names
    np.testing.assert_array_equal(tree["sample_stats"]["gradients"], NUTS.result.gradients)


def test_what_a_library_does_not_tell_is_left_out():
    assert "sample_stats" not in to_datatree(replace(NUTS, result=Draws(MEANS))).children
    energy = replace(NUTS, result=Draws(MEANS, energy=MEANS[..., 0]))
    assert set(to_datatree(energy)["sample_stats"].data_vars) == {"energy"}


def test_a_fit():
    tree = to_datatree(ADVI)
    np.testing.assert_array_equal(tree["posterior"]["means"], MEANS[:1])
    fit = tree["fit_data"].to_dataset()
    assert {name: values.shape for name, values in fit.items()} == {
        "loss": (50,),
        "location": (2,),
        "cholesky": (2, 2),
    }
    np.testing.assert_array_equal(fit["loss"], ADVI.result.trace)


def test_what_was_run_stands_in_the_attributes():
    told = {name: json.loads(value) for name, value in to_datatree(NUTS).attrs.items()}
    assert case_from_dict(told["case"]) == NUTS.case
    assert told["timing"]["sample_s"] == 0.25
    assert told["environment"] == NUTS.environment
    assert told["shims"] == ["one"]


@pytest.mark.parametrize("run", [NUTS, ADVI], ids=["nuts", "advi"])
def test_netcdf_gives_back_what_went_in(run, tmp_path):
    tree = to_datatree(run)
    tree.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xarray.open_datatree(tmp_path / "run.nc", engine="h5netcdf") as read:
        assert read.attrs == tree.attrs
        assert set(read.children) == set(tree.children)
        for group in tree.children:
            for name, values in tree[group].data_vars.items():
                np.testing.assert_array_equal(read[group][name], values)


def test_arviz_reads_it():
    pooled = extract(to_datatree(NUTS), var_names="smaller")
    assert pooled.shape == (4 * 30,)

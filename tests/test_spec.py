"""What is measured: frozen data, with the counts that the README promises."""

import runpy
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.spec import (
    ADVI_METHODS,
    DATASETS,
    DEFAULT_DATASET,
    MODELS,
    PROFILES,
    STARTS,
    WEIGHTS,
    AdviSettings,
    Case,
    Mixture,
    NutsSettings,
    Prior,
)


def test_the_models_differ_in_the_order_alone():
    assert set(MODELS) == {"unordered", "ordered"}
    for name, model in MODELS.items():
        assert model == Mixture(name, ordered=name == "ordered", sigma=1.0, prior=Prior(0.0, 10.0))
    assert WEIGHTS == (0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "chains", "warmup", "draws"),
    [("quick", 4, 1000, 1000), ("standard", 4, 2000, 5000), ("seed", 2, 2000, 10000)],
)
def test_profiles(name, chains, warmup, draws):
    nuts = PROFILES[name].settings("nuts")
    assert nuts == NutsSettings(chains, warmup, draws, target_accept=0.95, max_treedepth=10)
    assert nuts.starts == "dispersed" == STARTS[0]
    matched, library, *full_rank = (PROFILES[name].settings(method) for method in ADVI_METHODS)
    assert full_rank == [replace(each, family="full-rank") for each in (matched, library)]
    assert matched == AdviSettings(steps=15000, draws=10000, optimizer="adam")
    assert library == AdviSettings(steps=15000, draws=10000, optimizer="library")


def test_an_unknown_method_is_told():
    with pytest.raises(ValueError, match="unknown method 'hmc': choose from nuts, advi-matched"):
        PROFILES["quick"].settings("hmc")


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_of_the_package(name):
    x = datasets.load(name).x
    assert x.shape == (1000 if name == "low_dim_gauss_mix" else 100,)
    assert x.dtype == float
    assert np.all(np.isfinite(x))


def test_posteriordb_s_data_are_what_its_seed_gives():
    """All of them, made anew by a generator of our own after R's (see the script)."""
    module = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "posteriordb_data.py"))
    made = [float(f"{value:.15g}") for value in module["observations"]()]
    np.testing.assert_array_equal(made, datasets.load("low_dim_gauss_mix").x)


def test_the_default_data_set_is_one_of_them():
    assert DEFAULT_DATASET in DATASETS


def test_a_case_is_frozen_and_can_be_a_key():
    case = Case("close", MODELS["ordered"], "pymc", "nuts")
    with pytest.raises(FrozenInstanceError):
        case.seed = 1
    assert {case: 1}[Case("close", MODELS["ordered"], "pymc", "nuts")] == 1


def test_the_spec_needs_no_numpy():
    code = "import sys, gmixbench.spec; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

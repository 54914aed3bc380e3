"""What the tests of the lab share."""

import time
from pathlib import Path

import pytest

from gmixbench.lab import datasets
from gmixbench.spec import MODELS, AdviSettings, Case, NutsSettings
from gmixbench.truth.exact import solve


@pytest.fixture(scope="session")
def exact():
    """Exact posterior of a data set of the package."""
    return solve(datasets.load("overlapping").x, MODELS["ordered"])


@pytest.fixture(scope="session")
def make_case():
    """Maker of small cases."""

    def make(backend="exact", model="ordered", method="nuts", seed=0, **changes):
        small = {"chains": 2, "warmup": 10, "draws": 50} if method == "nuts" else {"steps": 600}
        kind = NutsSettings if method == "nuts" else AdviSettings
        case = Case("overlapping", MODELS[model], backend, method, kind(**small), seed=seed)
        return Case(**{**vars(case), **changes})

    return make


def _alive(pid):
    # A zombie that no one has waited for is dead all the same.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="session")
def gone():
    """Whether all of some processes end within seconds."""

    def wait(*pids, within=10.0):
        until = time.monotonic() + within
        while any(map(_alive, pids)) and time.monotonic() < until:
            time.sleep(0.02)
        return not any(map(_alive, pids))

    return wait

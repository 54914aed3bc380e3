"""Real releases: what is held, what is told apart, and two libraries in one environment."""

from pathlib import Path

import pytest

from gmixbench.lab import building, interpreters, stacks
from gmixbench.lab.comparison import trial
from gmixbench.lab.comparison.holding import held, steps
from gmixbench.lab.comparison.sides import side
from gmixbench.ruler.dependencies import changed

pytestmark = pytest.mark.stacks

LOCKS = Path(__file__).parents[3] / stacks.FOLDER


@pytest.fixture(autouse=True)
def _own(tmp_path, monkeypatch):
    """Locks and environments of this test alone; uv's cache is shared."""
    lacking = [each for each in ("3.10", "3.12", "3.13") if not interpreters.find(each)]
    if lacking:
        pytest.skip(f"no Python {', '.join(lacking)} runs on this machine")
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))


def differ(base, new):
    return changed(base.variant.packages, new.variant.packages)


@pytest.mark.parametrize(
    ("base", "new", "found"),
    [
        ("numpyro@0.21.0", "numpyro==0.22.0", ["numpyro 0.21.0 → 0.22.0"]),
        ("numpyro@0.15.3", "numpyro==0.16.1", ["numpyro 0.15.3 → 0.16.1"]),
        # Each PyMC asks for PyTensors of its own: 3.3.8 would do too, and is not what it had.
        (
            "pymc@6.3.2",
            "pymc==6.4.0",
            [
                "pymc 6.3.2 → 6.4.0",
                "pytensor 3.3.2 → 3.3.7",
                "better-optimize none → 0.5.1",
                "joblib none → 1.6.0",
            ],
        ),
        # Its own lock keeps NumPy below 1.26, which PyTensor of the time can't do with.
        (
            "pymc@5.9.2",
            "pymc==5.8.2",
            ["pymc 5.9.2 → 5.8.2", "pytensor 2.17.4 → 2.16.3", "numpy 1.26.2 → 1.25.2"],
        ),
    ],
)
def test_a_release_among_the_dependencies_of_another(base, new, found):
    base, new = side(base, LOCKS), side(new, LOCKS)
    alone = held(base, new)
    assert [*differ(base, alone)] == found
    assert trial.fault(alone.stack, alone.variant.backend) is None


def test_the_steps_between_two_releases_are_its_lock_diff_and_each_imports():
    base, new = side("numpyro@0.13.2", LOCKS), side("numpyro@0.14.0", LOCKS)
    taken = steps(base, new)
    assert [each.variant.name for each in taken[1:-1]] == [
        "+ numpyro 0.13.2 → 0.14.0",
        "+ jax 0.4.18 → 0.4.25, jaxlib 0.4.18 → 0.4.25",
        "+ numpy 1.26.0 → 1.26.4",
        "+ scipy 1.11.3 → 1.12.0",
        "+ python 3.10 → 3.12",
    ]
    assert all(building.built(each.stack) for each in taken[1:-1])
    assert (taken[0], taken[-1]) == (base, new)


def test_a_step_that_does_not_import_is_none():
    said = []
    taken = steps(side("pymc@5.10.4", LOCKS), side("pymc@5.11.0", LOCKS), say=said.append)
    # ArviZ of the older one takes from SciPy what the newer one's has no more.
    assert [each.variant.name for each in taken[1:-1]] == ["+ pymc 5.10.4 → 5.11.0"]
    assert any("cannot import name 'gaussian' from 'scipy.signal'" in line for line in said)


def test_two_libraries_in_one_environment():
    text = "pymc==6.4.0 numpyro==0.22.0 nutpie==0.16.11"
    found = {backend: side(f"{text}:{backend}", LOCKS) for backend in ("pymc", "numpyro")}
    assert found["pymc"].stack == found["numpyro"].stack
    for package in ("pymc", "numpyro", "nutpie"):
        assert trial.fault(found["pymc"].stack, package) is None

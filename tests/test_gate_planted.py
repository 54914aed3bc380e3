"""`gmixbench gate` on real NumPyro and a slowed copy of it, by both roads that it has but asv's.

What asv's own command says of such a copy is in tests/suite/test_asv.py.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

SIDES = {"base": "0", "same": "0", "slowed": "3000"}
"""Additions in each gradient; 3000 take many times as long as all the rest of it."""

Python = Callable[..., SimpleNamespace]


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Run a module of Python's in an empty folder, where the planted backend is found."""
    # Run by pytest-xdist, we are one of its workers: what we start is none.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ours["PYTHONPATH"] = os.pathsep.join([str(ROOT / "benchmarks" / "power"), str(ROOT)])

    def run(*words: str, additions: str = "0") -> SimpleNamespace:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env={**ours, "PLANTED_ADDITIONS": additions},
            capture_output=True,
            text=True,
            check=False,
        )
        return SimpleNamespace(code=done.returncode, said=done.stdout + done.stderr)

    return run


def by_run(side: str, seed: int) -> list[str]:
    """Words that measure a side once by `gmixbench run`."""
    case = "--backend planted.slower --profile quick --model ordered --method nuts"
    told = ["--seed", str(seed), "--out", f"{side}/{seed}"]
    return ["gmixbench.cli", "run", *case.split(), *told]


def by_pytest(side: str, session: int) -> list[str]:
    """Words that measure a side once by `pytest --benchmark-only`."""
    which = ["-k", "test_nuts and not unordered", "--gmix-backend", "planted.slower"]
    told = ["--gmix-rounds=1", f"--benchmark-json={side}/{session}.json"]
    suite = ["-p", "no:cacheprovider", "--pyargs", "gmixbench.suite", "--benchmark-only"]
    return ["pytest", *suite, *which, *told]


@pytest.mark.parametrize("words", [by_run, by_pytest])
def test_a_slowed_copy_of_numpyro_is_caught_and_an_unchanged_one_is_not(
    python: Python, tmp_path: Path, words: Callable[[str, int], list[str]]
) -> None:
    for side in SIDES:
        (tmp_path / side).mkdir()
    for turn in range(1, 4):
        for side, additions in SIDES.items():
            done = python(*words(side, turn), additions=additions)
            assert done.code == 0, done.said
    slowed = python("gmixbench.cli", "gate", "base", "slowed", "--junit", "slowed.xml")
    assert slowed.code == 1, slowed.said
    told = (tmp_path / "slowed.xml").read_text()
    assert 'name="seconds_per_gradient"><failure' in told
    assert 'name="ess_per_gradient"><failure' not in told  # its draws are the same to the bit
    same = python("gmixbench.cli", "gate", "base", "same")
    assert same.code in {0, 4}, same.said

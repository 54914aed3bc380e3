"""`gmixbench compare` on real NumPyro, and on copies of it with a fault planted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

Compare = Callable[..., SimpleNamespace]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "benchmarks" / "power"),
        "GMIXBENCH_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "120",
    }


@pytest.fixture
def compare(tmp_path: Path, environment: dict[str, str]) -> Compare:
    def call(*arguments: str, **variables: str) -> SimpleNamespace:
        done = subprocess.run(
            [sys.executable, "-m", "gmixbench.cli", "compare", *arguments],
            cwd=tmp_path,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return call


def test_a_jacobian_counted_twice_is_invalid_at_once(compare: Compare) -> None:
    done = compare("here:numpyro", "here:planted.jacobian")
    assert done.code == 3, done.err
    assert "here:planted.jacobian is invalid: 1 of 1 processes: density_error" in done.out
    assert "improved" not in done.out
    assert "seconds_per_gradient" not in done.out


def test_means_that_are_3_percent_off_are_invalid_whatever_their_speed(compare: Compare) -> None:
    done = compare("here:numpyro", "here:planted.scaled")
    assert done.code == 3, done.err
    assert "here:planted.scaled is invalid" in done.out
    assert "standard errors from the exact one" in done.out
    assert "improved" not in done.out


def test_a_gradient_of_half_the_speed_is_found_and_named(compare: Compare, tmp_path: Path) -> None:
    done = compare(
        "here:numpyro",
        "here:planted.slower",
        *("--band", "10%", "--alpha", "0.05", "--budget", "15m", "--out", "there"),
        PLANTED_ADDITIONS="700",
    )
    assert done.code == 1, done.out + done.err
    assert "because a gradient evaluation takes" in done.out
    assert "the trees are the same, draw by draw" in done.out
    kept = json.loads((tmp_path / "there" / "compare.json").read_text())
    assert len(kept["readings"]) >= 2 * 14


def test_killed_it_goes_on_with_the_blocks_it_has(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, environment: dict[str, str]
) -> None:
    path = tmp_path / "there" / "compare.json"
    command = ["compare", "here:exact", "here:exact", "--out", "there", "--budget", "1h"]

    def until(count: int, number: int) -> list[object]:
        begun = start(tmp_path, command, environment)
        try:
            while begun.poll() is None and len(readings(path)) < count:
                time.sleep(0.05)
            assert begun.poll() is None
        finally:
            begun.send_signal(number)
            begun.communicate()
        return readings(path)

    first = until(5, signal.SIGKILL)
    second = until(len(first) + 4, signal.SIGINT)
    third = until(len(second) + 4, signal.SIGKILL)
    assert third[: len(first)] == first
    assert third[: len(second)] == second
    places = [(row["block"], row["variant"]) for row in third]
    assert len(set(places)) == len(places)


def readings(path: Path) -> list[dict[str, object]]:
    if not path.is_file():
        return []
    found: list[dict[str, object]] = json.loads(path.read_text())["readings"]
    return found

"""The pytest plugin: options of the benchmarks, and what the JSON says of the machine.

It is loaded in every pytest run beside an installed gmixbench, so it imports nothing of it and
does nothing unless its options are given or a file is saved with its benchmarks in it.

What a saved file (`--benchmark-json`, `--benchmark-save`, `--benchmark-autosave`) carries
-------------------------------------------------------------------------------------------
`machine_info["gmixbench"]`, all of it text::

    {"python": ..., "platform": ..., "cpu": ..., "cores": ...,   as `environment` in scores.json,
     "machine_id": ...,                                          as there, if it is known,
     "gmixbench": ..., "pymc": ..., ...                          versions of what is installed
     "threads": "1",                                             of what is timed
     "lock": sha256 of all installed distributions}

`benchmarks[i]["extra_info"]["gmixbench"]`::

    {"schema": 1,
     "timed": what `stats` holds, in words; it is in seconds and less is better,
     "case": {"dataset", "model", "mixture", "backend", "method", "likelihood", "settings",
              "stack"},
     "rounds": [{"seed", "valid", "labels", "converged", "reasons", "metrics",
                 "occupancy_by_chain", "environment", "shims"}, ...]}

`{**case, **round}` is a row of scores.json's `scores`, with the same keys and the same meaning;
`rounds[k]` belongs to `stats["data"][k]`, where the file has it. A number that does not exist is
null. `method` is one of `gmixbench.spec.METHODS`, or "density" for log density and gradient, whose
dataset is "generated-N" of N observations, whose settings are {"n": N}, and whose one round has
the metrics `density_error` and `density_constant`; what it takes is in `stats` alone. One fit
serves several benchmarks, so the same rounds may stand under more than one of them.

Only valid runs are among the benchmarks: an invalid one fails its test, and pytest-benchmark leaves
out what failed. Why a fit was refused stands in `gmixbench_refused`, a list of rows like those of
scores.json with their `reasons`; it is there if any was. So a benchmark that is not there is one
that could not be measured.

`name` is the backend, `group` what is timed with model and data; `fullname` begins with
`gmixbench.suite::` wherever the suite is installed, since `--benchmark-compare` finds its pairs
by it and says nothing of those that it does not find.
"""

import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

PROFILE, BACKEND, DATASET, ROUNDS = (
    "--gmix-profile",
    "--gmix-backend",
    "--gmix-dataset",
    "--gmix-rounds",
)

UNUSED = "ignore:Benchmark fixture was not used"
"""Filter of what pytest-benchmark warns of where a fit is refused: the failure itself says why."""

FIND = """
import sys
from importlib.util import find_spec
if not find_spec(sys.argv[1]):
    raise ModuleNotFoundError(f"No module named {sys.argv[1]!r}")
"""
"""Program that fails where a module is not found."""

REFUSED = pytest.StashKey[list[dict[str, Any]]]()
"""Rows of the fits that were refused, in the stash of pytest's configuration."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the benchmarks; each is None unless given."""
    group = parser.getgroup("gmixbench", "benchmarks of gmixbench.suite")
    group.addoption(PROFILE, help="counts of a fit: quick (unless given), standard or seed")
    group.addoption(
        BACKEND,
        action="append",
        help="pymc, numpyro, exact or a module of your own; again for more. Unless given, pymc "
        "and numpyro, of which one may be missing",
    )
    group.addoption(
        DATASET,
        action="append",
        help="overlapping, close (unless given) or separated; again for more",
    )
    group.addoption(ROUNDS, help="fits of each kind, one for each seed from 0 on; 3 unless given")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that make no sense.

    Raises
    ------
    pytest.UsageError
        One line that says which, and what to choose from.
    """
    profile, backends, datasets, rounds = map(config.getoption, (PROFILE, BACKEND, DATASET, ROUNDS))
    if not (profile or backends or datasets or rounds):
        return
    from gmixbench.measured.backends import BACKENDS
    from gmixbench.spec import DATASETS, PROFILES

    _known(PROFILE, [profile] if profile else [], PROFILES)
    _known(BACKEND, [name for name in backends or [] if "." not in name], BACKENDS)
    for name in backends or []:
        if name not in BACKENDS:
            _found(name)
    _known(DATASET, datasets or [], DATASETS)
    if rounds and not (rounds.isdecimal() and int(rounds)):
        raise pytest.UsageError(f"{ROUNDS} {rounds}: a positive whole number is wanted")


def _known(option: str, values: Iterable[str], known: Iterable[str]) -> None:
    for value in values:
        if value not in known:
            raise pytest.UsageError(f"{option} {value}: choose from {', '.join(known)}")


def _found(module: str) -> None:
    # As the processes that are measured find it; and what it imports is nothing to this one.
    command = [sys.executable, "-c", FIND, module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise pytest.UsageError(f"{BACKEND} {module}: {done.stderr.strip().splitlines()[-1]}")


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add what was measured, on what, and what was refused, to a file with benchmarks of ours."""
    refused = config.stash.get(REFUSED, [])
    if refused:
        output_json["gmixbench_refused"] = refused
    if refused or any("gmixbench" in each["extra_info"] for each in output_json["benchmarks"]):
        from gmixbench.suite.machine import describe

        output_json["machine_info"]["gmixbench"] = describe()


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_compare_machine_info(compared_benchmark: dict[str, Any]) -> None:
    """Let pytest-benchmark warn of another machine, and not of the versions to be compared."""
    compared_benchmark["machine_info"].pop("gmixbench", None)

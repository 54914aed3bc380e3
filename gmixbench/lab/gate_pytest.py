"""pytest-benchmark's JSON as a side of a comparison; `suite.plugin` says what of ours is in it."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gmixbench.lab.gate_own import check_schema, key_of, machines_of, replicate_of, versions_of
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.ruler.tolerances import TIMED
from gmixbench.spec import METHODS

KIND = "pytest-benchmark"


def is_saved(data: Mapping[str, Any]) -> bool:
    """Whether this is what `--benchmark-json` or `--benchmark-save` leave."""
    return "benchmarks" in data and "machine_info" in data


def read_saved(path: Path, data: Mapping[str, Any], run: str) -> Side:
    """Benchmarks of a saved file: the metrics of the fits behind them.

    The seconds of such a benchmark are one of those metrics, or follow from them, so they are not
    read again; those of a benchmark without a fit are.
    """
    cases: dict[Key, dict[int, Replicate]] = {}
    strangers = 0
    for benchmark in data["benchmarks"]:
        ours = benchmark["extra_info"].get("gmixbench")
        if ours is None:
            strangers += 1
            continue
        for key, one in _replicates(benchmark, ours, run):
            # One fit may stand under several benchmarks: once is enough.
            cases.setdefault(key, {}).setdefault(one.seed, one)
    for row in data.get("gmixbench_refused", ()):
        refused = replicate_of(row, run)
        cases.setdefault(key_of(row), {}).setdefault(refused.seed, refused)
    told = data["machine_info"]
    environment = told.get("gmixbench", {})
    machines = machines_of(environment)
    found = {key: tuple(seeds.values()) for key, seeds in cases.items()}
    return Side(str(path), KIND, machines, found, versions_of(environment), strangers)


def _replicates(
    benchmark: Mapping[str, Any], ours: Mapping[str, Any], run: str
) -> Iterator[tuple[Key, Replicate]]:
    check_schema(ours)
    key = key_of(ours["case"])
    for row in ours["rounds"]:
        one = replicate_of(row, run)
        if key.method not in METHODS:
            # What is timed in one process is no replicate: its median is one value.
            stats = benchmark["stats"]
            seconds = statistics.median(stats.get("data") or [stats["median"]])
            one = replace(one, metrics={**one.metrics, TIMED: seconds})
        yield key, one

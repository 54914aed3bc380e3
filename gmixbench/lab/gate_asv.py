"""asv's result files as sides of a comparison: values turned back from lower-is-better.

A value of `null` has failed, one of NaN is n/a: its stack is not built, or its library does not
tell it.
"""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from gmixbench.ruler.lower import LOWER, Lower
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.spec import ALL_MODELS, DATASETS, HERE, METHODS

KIND = "asv"

CLASSES = {"Nuts": "nuts", "Advi": "advi-matched"}
"""Method of a class of benchmarks; in the files of a history the method itself stands there."""


def is_results(data: Mapping[str, Any]) -> bool:
    """Whether this is a file that `asv run` leaves for a commit."""
    return "results" in data and "result_columns" in data


def read_results(path: Path, data: Mapping[str, Any], run: str) -> Side:
    """Benchmarks of a commit; of each fit that asv has as a sample, a replicate."""
    values: dict[Key, dict[str, Sequence[float | None]]] = {}
    failed: dict[Key, list[str]] = {}
    strangers = 0
    for name, row in data["results"].items():
        entry = _entry(name)
        if entry is None:
            strangers += 1
            continue
        columns = dict(zip(data["result_columns"], row, strict=False))
        for key, numbers in _cases(name, columns):
            if numbers is None:
                failed.setdefault(key, []).append(entry.name)
            else:
                found = values.setdefault(key, {})
                found[entry.metric] = [_turned(entry, number) for number in numbers]
    cases = {key: tuple(_replicates(metrics, run)) for key, metrics in values.items()}
    for key, names in failed.items():
        fault = f"failed in asv: {', '.join(names)}"
        cases[key] = (*cases.get(key, ()), Replicate(run, 0, {}, (fault,)))
    versions = {"commit": str(data["commit_hash"])[:8], "python": str(data["python"])}
    machine = data["params"]
    told = ", ".join(str(machine[name]) for name in ("machine", "cpu", "num_cpu", "os", "arch"))
    return Side(str(path), KIND, (told,), cases, versions, strangers)


def _entry(name: str) -> Lower | None:
    method, last = _method(name), name.rpartition(".")[2].removeprefix("track_")
    kind = "nuts" if method == "nuts" else "advi"
    return next((row for row in LOWER if method and (row.kind, row.name) == (kind, last)), None)


def _method(name: str) -> str | None:
    """Method that the name of a benchmark tells; a stranger's tells none."""
    told = (CLASSES.get(word, word) for word in name.split("."))
    return next((word for word in told if word in METHODS), None)


def _cases(name: str, columns: Mapping[str, Any]) -> Iterator[tuple[Key, Sequence[float] | None]]:
    """Key and numbers of each combination of parameters; `None` where it failed."""
    combinations = [*product(*columns["params"])]
    results = columns["result"]
    if results is None:
        results = [None] * len(combinations)
    samples = columns.get("samples") or [None] * len(combinations)
    for parameters, result, own in zip(combinations, results, samples, strict=True):
        key = _key(name, parameters, columns.get("version"))
        if result is None:
            yield key, None
        elif not math.isnan(result):
            yield key, own or [result]


def _key(name: str, parameters: Sequence[str], version: Any) -> Key:
    told = dict.fromkeys(("dataset", "model", "stack"), "")
    for text in parameters:
        value = str(ast.literal_eval(text))
        known = (("dataset", DATASETS), ("model", ALL_MODELS))
        told[next((kind for kind, names in known if value in names), "stack")] = value
    here = told["stack"].startswith(f"{HERE}-")
    backend = told["stack"].removeprefix(f"{HERE}-") if here else told["stack"].split("-v")[0]
    return Key(
        dataset=told["dataset"],
        model=told["model"],
        backend=backend,
        method=_method(name) or "",
        settings=f"version {version} of the benchmark",
        stack=HERE if here else told["stack"],
    )


def _turned(entry: Lower, number: float) -> float | None:
    if number < 0 and entry.inverse:
        raise ValueError(f"{entry.name} is {number}")
    if not entry.inverse:
        return number
    return 1.0 / number if number > 0 else None


def _replicates(metrics: Mapping[str, Sequence[float | None]], run: str) -> Iterator[Replicate]:
    found = list[Mapping[str, float | None]]()
    for seed in range(max(map(len, metrics.values()))):
        own = {name: values[seed] for name, values in metrics.items() if seed < len(values)}
        # asv may have run the same fits again: what is equal to the digit is no evidence more.
        if not any(own.items() <= earlier.items() for earlier in found):
            yield Replicate(run, seed, own)
        found.append(own)

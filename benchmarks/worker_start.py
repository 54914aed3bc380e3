"""What a worker's warm start adds to the library's own import: at most 0.3 seconds.

In the environment of a stack, a worker that reads its job, imports the library and its backend, and
fails when the model is built; and a process that does nothing but import the library. Both are
fresh processes on the same core, interleaved in random order, after one of each to warm up the
disk. Prints the medians, and the median difference of a pair with its range.

Run: python benchmarks/worker_start.py [STACK]... [--pairs N]
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gmixbench.disk import read_record, write_job
from gmixbench.lab import building, datasets, environment, stacks, travel
from gmixbench.lab.execute import job
from gmixbench.lab.stacks import Stack
from gmixbench.measured.backends import BACKENDS
from gmixbench.measured.protocol import CORE_VARIABLE
from gmixbench.record import Failure
from gmixbench.spec import MODELS, Case, NutsSettings
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

LIMIT = 0.3
"""Seconds."""

STACKS = ("pymc3-v3.11.5", "pymc-v6.4.0", "numpyro-v0.22.0")
"""Newest of each library."""

ENOUGH = "all is imported"

FAILING = """
from {backend} import PACKAGES

def build(job):
    raise RuntimeError("{enough}")
"""
"""A backend that imports what the library's own does, and does nothing."""

BARE = """
import os
if {core} is not None:
    os.sched_setaffinity(0, {{{core}}})
import {package}
"""


def main(names: Sequence[str], pairs: int) -> int:
    """Print one row for each stack; 1 where a median difference is beyond the limit."""
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    table = Table(
        "stack", "worker, s", "bare import, s", "added, s", "range", title=f"{pairs} pairs"
    )
    added = []
    for name in names:
        stack = stacks.find(name, stacks.folder())
        python = building.build(stack, say=print)
        with tempfile.TemporaryDirectory() as folder:
            timed = starts(stack, python, exact, Path(folder), pairs)
        differences = [worker - bare for worker, bare in timed]
        added.append(statistics.median(differences))
        medians = (statistics.median(times) for times in zip(*timed, strict=True))
        least, most = min(differences), max(differences)
        table.add_row(
            name,
            *(f"{seconds:.3f}" for seconds in medians),
            f"{added[-1]:.3f}",
            f"{least:.3f} to {most:.3f}",
        )
    Console().print(table)
    return int(max(added) > LIMIT)


def starts(
    stack: Stack, python: Path, exact: Exact, folder: Path, pairs: int
) -> list[tuple[float, float]]:
    """Seconds of each pair: a worker's start, and the library's bare import."""
    variables = environment.measured(folder)
    core = variables.get(CORE_VARIABLE)
    (folder / "failing.py").write_text(
        FAILING.format(backend=BACKENDS[stack.package].module, enough=ENOUGH)
    )
    variables["PYTHONPATH"] = str(folder)
    case = Case("close", MODELS["ordered"], "failing", "nuts", NutsSettings(chains=1))
    write_job(folder / "job", job(case, exact))
    worker = [travel.pack(folder / "worker.pyz"), folder / "job", folder / "record"]
    bare = ["-c", BARE.format(core=core, package=stack.package)]

    def start() -> float:
        seconds = took([python, *worker], variables)
        record = read_record(folder / "record")
        if not (isinstance(record, Failure) and ENOUGH in record.message):
            raise SystemExit(f"{stack.name}: {record}")
        return seconds

    def imported() -> float:
        return took([python, *bare], variables)

    return paired(start, imported, pairs)


def paired(
    first: Callable[[], float], second: Callable[[], float], pairs: int
) -> list[tuple[float, float]]:
    """What both give, in random order within each pair, and once before to warm up."""
    first(), second()
    order = random.Random(0)  # noqa: S311  # an order, not a secret
    found = []
    for _ in range(pairs):
        if order.random() < 0.5:
            one = first()
            found.append((one, second()))
        else:
            two = second()
            found.append((first(), two))
    return found


def took(command: Sequence[str | os.PathLike[str]], variables: Mapping[str, str]) -> float:
    """Wall clock of a command, which must succeed."""
    begun = time.perf_counter()
    subprocess.run(command, env=variables, check=True, capture_output=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="*", metavar="STACK", default=STACKS)
    parser.add_argument("--pairs", type=int, default=9)
    asked = parser.parse_args()
    sys.exit(main(asked.stacks, asked.pairs))

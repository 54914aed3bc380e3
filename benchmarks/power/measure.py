"""Blocks of real processes for `table.py`: equal sides by the hundred, and planted faults.

    python benchmarks/power/measure.py equal 300       # 13 short blocks for each comparison
    python benchmarks/power/measure.py planted 120     # long blocks, of five variants

Each process is a line in `equal.csv` or `planted.csv` beside this file, as soon as it is done;
called again, it goes on. A call under `taskset -c 0` and one under `taskset -c 1` measure at once,
each the other's noisy neighbour: give the second comparisons and a file of its own (`equal 150:300
equal-2.csv`), and append its lines to the first's.
"""

import csv
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gmixbench.lab import datasets
from gmixbench.lab.environment import describe
from gmixbench.lab.execute import HERE, Worker, job, run_case
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.ruler.comparison.reading import Place, reading
from gmixbench.spec import COMPARE, MODELS, Case, NutsSettings
from gmixbench.truth.solve import solve

FOLDER = Path(__file__).parent

BLOCKS = 13
"""Of a comparison of equal sides: as many as the first look needs."""

SHORT = replace(COMPARE.nuts, warmup=500, draws=5_000)
"""Samples for about 0.2 s."""

LONG = replace(COMPARE.nuts, draws=60_000)
"""Samples for about 2 s, as `compare` has it."""

EQUAL = {"old": ("numpyro", {}), "new": ("numpyro", {})}

# Chosen after a trial of 15 blocks; how large they came out, `table.py` tells.
PLANTED = {
    "plain": ("numpyro", {}),
    "again": ("numpyro", {}),
    "slower-5": ("planted.slower", {"PLANTED_ADDITIONS": "23"}),
    "slower-10": ("planted.slower", {"PLANTED_ADDITIONS": "39"}),
    "sticky-20": ("planted.sticky", {"PLANTED_STAYS": "0.46"}),
}

WHERE = ("block", "variant", "place", "began", "cpu", "seconds", "load")
COLUMNS = (*WHERE, *COMPARED["nuts"], "faults")


def main(kind: str, wanted: range, path: Path) -> None:
    """Measure these comparisons, or blocks, as far as they are not in the file."""
    variants, settings = {"equal": (EQUAL, SHORT), "planted": (PLANTED, LONG)}[kind]
    each = BLOCKS if kind == "equal" else 1
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    done = _done(path)
    with tempfile.TemporaryDirectory() as work, path.open("a", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS)
        if not done:
            lines.writeheader()
        begun = time.monotonic()
        for block in range(wanted.start * each, wanted.stop * each):
            order = [*variants]
            random.Random(block).shuffle(order)  # noqa: S311  # an order, no secret
            for place, name in enumerate(order):
                if (block, name) not in done:
                    row = measure(variants[name], settings, block, place, exact, Path(work))
                    lines.writerow({"block": block, "variant": name, **row})
                    file.flush()
            minutes = (time.monotonic() - begun) / 60
            told = f"block {block + 1} of {wanted.stop * each}, {minutes:.0f} min"
            print(told, end="\r", flush=True)


def measure(
    variant: tuple[str, dict[str, str]],
    settings: NutsSettings,
    block: int,
    place: int,
    exact: object,
    work: Path,
) -> dict[str, object]:
    """One fresh process."""
    backend, variables = variant
    case = Case("close", MODELS["ordered"], backend, "nuts", settings, seed=block + 1)
    began, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    load = os.getloadavg()[0]
    record = run_case(job(case, exact), work, timeout=600.0, worker=worker(variables, work))
    where = Place(block, 0, 0, place, True, began, time.monotonic() - clock)
    found = reading(record, where, exact)
    return {
        "place": place,
        "began": began,
        "cpu": describe()["cpu"],
        "seconds": f"{found.seconds:.2f}",
        "load": load,
        **{name: found.metrics.get(name) for name in COMPARED["nuts"]},
        "faults": found.failure or "; ".join(found.faults),
    }


def worker(variables: dict[str, str], work: Path) -> Worker:
    """A worker that finds what is planted, and compiles once for all: its first process is cold."""
    settings = {
        "PYTHONPATH": str(FOLDER),
        "JAX_COMPILATION_CACHE_DIR": str(work / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        **variables,
    }
    given = [f"{name}={value}" for name, value in settings.items()]
    return Worker(("env", *given, *HERE.command), caches=work)


def _done(path: Path) -> set[tuple[int, str]]:
    if not path.is_file():
        return set()
    with path.open(newline="") as file:
        lines = csv.DictReader(file)
        if tuple(lines.fieldnames or ()) != COLUMNS:
            raise SystemExit(f"{path} has other columns than those that are measured")
        return {(int(row["block"]), row["variant"]) for row in lines}


if __name__ == "__main__":
    kind_, wanted_, *name_ = sys.argv[1:]
    first_, last_ = wanted_.rpartition(":")[::2]
    main(kind_, range(int(first_ or 0), int(last_)), FOLDER / (name_ or [f"{kind_}.csv"])[0])

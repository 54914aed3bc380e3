"""What a seed alone does to a sampler: one case under many seeds, each in a fresh process.

ESS, R-hat and trajectories depend on the seed and on nothing of the machine, so they can be had at
leisure; three seeds a release, as a history has them, are too few to tell their spread. The rows
are those of `benchmarks/gate_seeds.csv`, from which `gate_power.py` draws.

    python benchmarks/gate_seeds.py pymc ordered 120 >> benchmarks/gate_seeds.csv
    python benchmarks/gate_seeds.py                     # the spreads in that file
"""

import csv
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gmixbench.lab import datasets
from gmixbench.lab.execute import job, run_case
from gmixbench.record import Failure
from gmixbench.ruler.tolerances import TOLERANCES
from gmixbench.ruler.verdict import judge
from gmixbench.spec import MODELS, PROFILES, Case
from gmixbench.truth.solve import solve

FILE = Path(__file__).with_suffix(".csv")

METRICS = (
    "ess_bulk",
    "ess_tail",
    "ess_per_gradient",
    "rhat",
    "rhat_relabelled",
    "mode_switches",
    "occupancy_error",
    "bias_z",
    "divergences",
    "max_treedepth_share",
    "ebfmi",
    "gradients_warmup",
    "gradients_sample",
)
"""Of a row, after library, version, model, seed and whether it was valid."""


def measure(backend: str, model: str, seeds: int) -> None:
    """Print a row for each seed from 1 on: NUTS, profile quick, data set close."""
    exact = solve(datasets.load("close").x, MODELS[model])
    out = csv.writer(sys.stdout, lineterminator="\n")
    for seed in range(1, seeds + 1):
        case = Case("close", MODELS[model], backend, "nuts", PROFILES["quick"].nuts, seed=seed)
        with tempfile.TemporaryDirectory() as scratch:
            record = run_case(job(case, exact), Path(scratch), timeout=600)
        if isinstance(record, Failure):
            raise RuntimeError(record.message)  # noqa: TRY004  # no matter of types
        judged = judge(record, exact)
        told = [judged.scores.finite[name] for name in METRICS]
        valid = int(judged.verdict.valid)
        numbers = ["" if value is None else f"{value:.6g}" for value in told]
        out.writerow([backend, version(backend), model, seed, valid, *numbers])
        sys.stdout.flush()


def spreads() -> None:
    """Print the standard deviation between seeds of each metric, as the gate has it."""
    with FILE.open() as file:
        rows = [*csv.DictReader(file)]
    kinds = dict.fromkeys((row["library"], row["version"], row["model"]) for row in rows)
    print(f"{'':32}" + "".join(f"{name:>20}" for name in METRICS if name in TOLERANCES))
    for kind in kinds:
        own = [row for row in rows if (row["library"], row["version"], row["model"]) == kind]
        told = []
        for name in METRICS:
            values = [float(row[name]) for row in own if row[name]]
            ratio = TOLERANCES[name].scale == "ratio"
            told.append(float(np.std(np.log(values) if ratio else values, ddof=1)) if values else 0)
        invalid = sum(row["valid"] == "0" for row in own)
        print(
            f"{' '.join(kind):24} {len(own):3}, {invalid:2}" + "".join(f"{x:20.2g}" for x in told)
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        spreads()

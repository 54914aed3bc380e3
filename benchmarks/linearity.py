"""Whether `sample_s` is linear in draws through the origin, for every backend and model.

Seconds per gradient evaluation at 1,000 and at 10,000 draws, in fresh processes, interleaved: what
is compiled or set up inside the timed phase would make the short run dearer. They should agree
within 20 %. Held against each other is the least of all rounds: other work on the machine only adds
to a time, and of a short run it adds a larger share.

Run: python benchmarks/linearity.py [ROUNDS [BACKEND ...]]
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gmixbench.lab import datasets
from gmixbench.lab.execute import job, run_case
from gmixbench.record import Run
from gmixbench.ruler.score import score
from gmixbench.spec import MODELS, Case, NutsSettings
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

DRAWS = (1_000, 10_000)


def seconds_per_gradient(backend: str, model: str, draws: int, exact: Exact) -> float:
    """Of one fresh process, in microseconds."""
    settings = NutsSettings(chains=1, warmup=1000, draws=draws)
    case = Case("close", MODELS[model], backend, "nuts", settings)
    with tempfile.TemporaryDirectory() as folder:
        run = run_case(job(case, exact), Path(folder), timeout=600)
    if not isinstance(run, Run):
        raise SystemExit(run.message)
    return 1e6 * (score(run, exact).metrics["seconds_per_gradient"] or np.nan)


def main(rounds: int, backends: Sequence[str]) -> None:
    """Print one row for each backend and model."""
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    table = Table("backend", "model", *(f"{draws:,} draws, µs" for draws in DRAWS), "ratio")
    for backend in backends:
        for model in MODELS:
            found = np.array(
                [
                    [seconds_per_gradient(backend, model, draws, exact) for draws in DRAWS]
                    for _ in track(range(rounds), f"{backend} {model}", transient=True)
                ]
            )
            least = found.min(axis=0)
            ratio = least[0] / least[1]
            table.add_row(backend, model, *(f"{value:.2f}" for value in least), f"{ratio:.3f}")
    Console().print(table)


if __name__ == "__main__":
    rounds_, *backends_ = sys.argv[1:] or ("5",)
    main(int(rounds_), backends_ or ("pymc", "numpyro"))

"""How often the gate cries wolf, and how often it finds what is worse: simulated, by its own code.

Two sides measure NUTS and ADVI of both models, each in several rounds. What seeds decide, ESS,
trajectories and losses, is that of runs which were measured, drawn with replacement: sides share no
random stream, as two versions that draw other random numbers. Every phase of every run has a clock
of its own with the noise given. "One case" slows NUTS of `ordered` alone by 15 %, "a library" that
of both models; "half the ESS" is lost by NUTS of `ordered`, "a third" less.

Runs are drawn from the seeds of `gate_seeds.csv`, or from all that a history has of PyMC: on
`ordered` three seeds in two random streams, and in one of these six runs half of the usual ESS.

    python benchmarks/gate_power.py [repetitions]
"""

import csv
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmixbench.lab.history import read
from gmixbench.ruler.gate import judge
from gmixbench.ruler.history import History
from gmixbench.ruler.notices import believed
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.ruler.streams import noises

HERE = Path(__file__).parent

CASES = [
    Key("close", model, "b", method)
    for method in ("nuts", "advi-matched")
    for model in ("unordered", "ordered")
]
FREE, ORDERED = CASES[:2]

Runs = Mapping[Key, Sequence[Mapping[str, float]]]
"""Metrics that seeds decide, of each run that may be drawn."""


@dataclass(frozen=True)
class Planted:
    """What is wrong with a side: the factor by which each case is slower, and that of its ESS."""

    slower: Mapping[Key, float]
    ess: Mapping[Key, float]


PLANTED = {
    "nothing": Planted({}, {}),
    "one case": Planted({ORDERED: 1.15}, {}),
    "a library": Planted({FREE: 1.15, ORDERED: 1.15}, {}),
    "a third": Planted({}, {ORDERED: 2 / 3}),
    "half the ESS": Planted({}, {ORDERED: 0.5}),
}


def recorded(history: History, library: str) -> Runs:
    """Runs of a history that are believed, each random stream once."""
    found = {}
    for key in CASES:
        items = [
            item
            for item in history.measurements
            if believed(item)
            and (item.case.method, item.case.model.name) == (key.method, key.model)
            and item.case.stack.startswith(f"{library}-v")
        ]
        once = dict(zip(noises(items), items, strict=True))
        found[key] = [_numbers(item.metrics or {}) for item in once.values()]
    return found


def seeds(history: History, library: str) -> Runs:
    """Runs of NUTS under many seeds, and of ADVI in a history, where seeds hardly matter."""
    with (HERE / "gate_seeds.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row.pop("library") == library]
    for row in rows:
        del row["version"], row["seed"], row["valid"]
    own = {key: [row for row in rows if row["model"] == key.model] for key in (FREE, ORDERED)}
    nuts = {
        key: [
            {name: float(text) for name, text in row.items() if text and name != "model"}
            for row in some
        ]
        for key, some in own.items()
    }
    return {**recorded(history, library), **nuts}


def _numbers(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if value is not None}


def nuts(
    rng: np.random.Generator, run: Mapping[str, float], noise: float, slower: float, factor: float
) -> dict[str, float]:
    """Metrics of one run of NUTS that takes `slower` times as long, with `factor` times its ESS."""

    def clock() -> float:
        return math.exp(noise * rng.standard_normal())

    gradients = run["gradients_sample"]
    bulk, tail = factor * run["ess_bulk"], factor * run["ess_tail"]
    ess = min(bulk, tail)
    sample_s = 3e-5 * gradients * clock() * slower
    warmup_s, compile_s = 0.8 * clock() * slower, 9.0 * clock()
    build_s, import_s = 0.1 * clock(), 0.7 * clock()
    total = sample_s + warmup_s + compile_s + build_s + import_s
    return {
        **run,
        "draws_per_second": 4000 / sample_s,
        "ess_bulk": bulk,
        "ess_tail": tail,
        "ess_per_second": ess / sample_s,
        "ess_per_gradient": ess / gradients,
        "seconds_per_gradient": sample_s / gradients,
        "time_to_ess_1000": build_s + compile_s + warmup_s + 1000 * sample_s / ess,
        "density_error": 1e-14,
        "density_constant": 0.0,
        "import_s": import_s,
        "build_s": build_s,
        "compile_s": compile_s,
        "warmup_s": warmup_s,
        "sample_s": sample_s,
        "total_s": total,
        "cpu_s": 1.01 * total,
        "peak_memory": 3.6e8 * math.exp(0.002 * rng.standard_normal()),
    }


def advi(rng: np.random.Generator, run: Mapping[str, float], noise: float) -> dict[str, float]:
    """Metrics of one run of ADVI."""
    fit_s = 1.3 * math.exp(noise * rng.standard_normal())
    return {
        "density_error": 1e-14,
        "density_constant": 0.0,
        **{name: run[name] for name in ("gap", "kl", "loss", "average_loss", "steps_to_converge")},
        "steps_per_second": 15000 / fit_s,
        "fit_s": fit_s,
        "import_s": 0.6 * math.exp(noise * rng.standard_normal()),
        "peak_memory": 4e8 * math.exp(0.002 * rng.standard_normal()),
    }


def side(rng: np.random.Generator, runs: Runs, rounds: int, noise: float, planted: Planted) -> Side:
    """One side of a gate."""

    def one(key: Key) -> dict[str, float]:
        run = runs[key][rng.integers(len(runs[key]))]
        if key.method != "nuts":
            return advi(rng, run, noise)
        return nuts(rng, run, noise, planted.slower.get(key, 1.0), planted.ess.get(key, 1.0))

    cases = {key: tuple(Replicate(str(k), k, one(key)) for k in range(rounds)) for key in CASES}
    return Side("side", "simulated", ("a machine",), cases)


def main(repetitions: int) -> None:
    """Print the share of each verdict, by runs drawn from, rounds, noise and what is planted."""
    history = read(HERE / "history")
    drawn = {
        "PyMC 6.4.0": seeds(history, "pymc"),
        "NumPyro 0.22.0": seeds(history, "numpyro"),
        "PyMC's history": recorded(history, "pymc"),
    }
    pymc, *_ = drawn
    rows = [(name, 7, 0.05) for name in drawn]
    rows += [(pymc, 7, 0.03), (pymc, 7, 0.10), (pymc, 15, 0.05), (pymc, 1, 0.05)]
    print("runs of         rounds  noise  planted       regressed     fine  inconclusive")
    for name, rounds, noise in rows:
        for what, planted in PLANTED.items():
            rng = np.random.default_rng(0)
            seen = Counter(
                judge(
                    side(rng, drawn[name], rounds, noise, PLANTED["nothing"]),
                    side(rng, drawn[name], rounds, noise, planted),
                ).verdict
                for _ in range(repetitions)
            )
            shares = [seen[word] / repetitions for word in ("regressed", "fine", "inconclusive")]
            told = "  ".join(f"{100 * share:8.1f} %" for share in shares)
            print(f"{name:14} {rounds:7}  {100 * noise:3.0f} %  {what:12} {told}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)

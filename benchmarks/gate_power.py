"""How often the gate cries wolf, and how often it finds a slowdown: simulated, with its own code.

Two sides measure NUTS and ADVI of both models, each in several rounds. Every phase of every run has
a clock of its own with the noise given; ESS, trajectories and losses have the noise of seeds. Sides
share no random stream, which is the worst case. "One case" slows NUTS of `ordered` alone, "a
library" that of both models.

    python benchmarks/gate_power.py [repetitions]
"""

import math
import sys
from collections import Counter

import numpy as np

from gmixbench.ruler.gate import judge
from gmixbench.ruler.sides import Key, Replicate, Side

CASES = [Key("close", model, "b", "nuts") for model in ("unordered", "ordered")] + [
    Key("close", model, "b", "advi-matched") for model in ("unordered", "ordered")
]


def nuts(rng: np.random.Generator, noise: float, slowdown: float) -> dict[str, float]:
    """Metrics of one run of NUTS that takes `slowdown` times as long."""

    def clock() -> float:
        return math.exp(noise * rng.standard_normal())

    gradients = 24000 * math.exp(0.03 * rng.standard_normal())
    ess = 1900 * math.exp(0.05 * rng.standard_normal())
    sample_s = 3e-5 * gradients * clock() * slowdown
    warmup_s, compile_s = 0.8 * clock() * slowdown, 9.0 * clock()
    build_s, import_s = 0.1 * clock(), 0.7 * clock()
    total = sample_s + warmup_s + compile_s + build_s + import_s
    return {
        "draws_per_second": 4000 / sample_s,
        "ess_bulk": ess,
        "ess_tail": 1.1 * ess * math.exp(0.03 * rng.standard_normal()),
        "ess_per_second": ess / sample_s,
        "ess_per_gradient": ess / gradients,
        "seconds_per_gradient": sample_s / gradients,
        "time_to_ess_1000": build_s + compile_s + warmup_s + 1000 * sample_s / ess,
        "rhat_relabelled": 1.001 + 0.001 * rng.standard_normal(),
        "bias_z": 2 + 0.6 * rng.standard_normal(),
        "density_error": 1e-14,
        "density_constant": 0.0,
        "divergences": 0.0,
        "ebfmi": 1.05 * math.exp(0.04 * rng.standard_normal()),
        "gradients_warmup": 24000 * math.exp(0.02 * rng.standard_normal()),
        "gradients_sample": gradients,
        "import_s": import_s,
        "build_s": build_s,
        "compile_s": compile_s,
        "warmup_s": warmup_s,
        "sample_s": sample_s,
        "total_s": total,
        "cpu_s": 1.01 * total,
        "peak_memory": 3.6e8 * math.exp(0.002 * rng.standard_normal()),
    }


def advi(rng: np.random.Generator, noise: float) -> dict[str, float]:
    """Metrics of one run of ADVI."""
    fit_s = 1.3 * math.exp(noise * rng.standard_normal())
    gap = abs(0.008 + 0.004 * rng.standard_normal())
    return {
        "density_error": 1e-14,
        "density_constant": 0.0,
        "steps_per_second": 15000 / fit_s,
        "fit_s": fit_s,
        "gap": gap,
        "kl": 0.7 + gap,
        "loss": 170.7 + gap,
        "average_loss": 170.7 + 0.002 * rng.standard_normal(),
        "steps_to_converge": 1100 * math.exp(0.06 * rng.standard_normal()),
        "import_s": 0.6 * math.exp(noise * rng.standard_normal()),
        "peak_memory": 4e8 * math.exp(0.002 * rng.standard_normal()),
    }


def side(
    rng: np.random.Generator, rounds: int, noise: float, slowed: dict[Key, float] | None = None
) -> Side:
    """One side of a gate; `slowed` are cases and their slowdown."""
    slow = slowed or {}
    cases = {
        key: tuple(
            Replicate(
                str(k),
                k,
                nuts(rng, noise, slow.get(key, 1.0)) if key.method == "nuts" else advi(rng, noise),
            )
            for k in range(rounds)
        )
        for key in CASES
    }
    return Side("side", "simulated", ("a machine",), cases)


def main(repetitions: int) -> None:
    """Print the share of each verdict of 7 rounds, and of single runs, by noise and slowdown."""
    one, library = {CASES[1]: 1.15}, {CASES[0]: 1.15, CASES[1]: 1.15}
    print("rounds  noise  slowed by 15 %   regressed     fine  inconclusive")
    for rounds, noise in ((7, 0.02), (7, 0.03), (7, 0.05), (7, 0.10), (15, 0.05), (1, 0.06)):
        for name, slowed in (("nothing", {}), ("one case", one), ("a library", library)):
            rng = np.random.default_rng(0)
            seen = Counter(
                judge(side(rng, rounds, noise), side(rng, rounds, noise, slowed)).verdict
                for _ in range(repetitions)
            )
            shares = [seen[word] / repetitions for word in ("regressed", "fine", "inconclusive")]
            told = "  ".join(f"{100 * share:8.1f} %" for share in shares)
            print(f"{rounds:6}  {100 * noise:3.0f} %  {name:15} {told}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)

"""How much one run differs from the next: the noise that the gate assumes of a single run.

For each metric that the gate judges, the spread between the rounds of one release, over all
releases of a history: the logarithm's standard deviation for ratios, else that of the value. Rounds
are fresh processes with seeds of their own, hours apart, so it holds the machine and the seed.

    python benchmarks/gate_noise.py [benchmarks/history]
"""

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from gmixbench.lab.history import read
from gmixbench.ruler.notices import believed
from gmixbench.ruler.tolerances import TOLERANCES
from gmixbench.spec import MODELS


def main(folder: Path) -> None:
    """Print a line for each metric and model: pooled, and of the noisiest tenth of releases."""
    history = read(folder)
    values = defaultdict(lambda: defaultdict(list))
    for item in history.measurements:
        kind = "nuts" if item.case.method == "nuts" else "advi"
        if not believed(item) or item.case.method == "advi-library":
            continue
        for metric, value in (item.metrics or {}).items():
            tolerance = TOLERANCES.get(metric)
            if tolerance is None or value is None:
                continue
            if tolerance.scale == "ratio" and value <= 0:
                continue
            number = math.log(value) if tolerance.scale == "ratio" else value
            key = metric, kind, item.case.model.name
            values[key][item.case.stack, item.session].append(number)
    print(f"{'metric':22} {'kind':5} {'model':10} series   pooled   of 9 in 10   assumed")
    for metric, tolerance in TOLERANCES.items():
        for kind in ("nuts", "advi"):
            for model in MODELS:
                series = [v for v in values[metric, kind, model].values() if len(v) > 1]
                if not series:
                    continue
                squares = sum(np.var(v) * len(v) for v in series)
                pooled = math.sqrt(squares / sum(len(v) - 1 for v in series))
                most = np.quantile([np.std(v, ddof=1) for v in series], 0.9)
                assumed = tolerance.noise
                told = f"{len(series):6} {pooled:8.2g} {most:12.2g} {assumed:9.2g}"
                print(f"{metric:22} {kind:5} {model:10} {told}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "benchmarks/history"))

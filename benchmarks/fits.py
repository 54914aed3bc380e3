"""Put the table of fitted normals into the README: how far each is from the exact posterior.

Run, and then this file with the folder:

    gmixbench run --backend exact --backend pymc-c --backend numpyro --backend blackjax \
        --method advi-matched --method fullrank-matched --method pathfinder --method laplace \
        --out fits
    python benchmarks/fits.py fits
"""

import sys
from pathlib import Path

from published import into_readme, planned, versions

from gmixbench.lab.results import judge_folder
from gmixbench.report.numbers import fixed
from gmixbench.ruler.verdict import Judged

METHODS = ("laplace", "pathfinder", "fullrank-matched", "advi-matched")

HEADS = ("", "gap, `unordered`", "KL", "Pareto k", "gap, `ordered`", "KL", "Pareto k")


def main(out: Path) -> None:
    """Rewrite the marked part of the README."""
    results = judge_folder(out)
    if results.failures or results.missing:
        raise SystemExit(f"{len(results.failures)} failures, {len(results.missing)} missing")
    rows: dict[tuple[str, str], dict[str, Judged]] = {}
    for judged in results.judged:
        case = judged.run.case
        if (case.backend, case.method) == ("exact", "pathfinder"):  # the best normal once more
            continue
        rows.setdefault((case.method, case.backend), {})[case.model.name] = judged
    lines = [
        _line(rows[key], *key)
        for key in sorted(rows, key=lambda key: (METHODS.index(key[0]), key[1] != "exact"))
    ]
    table = [f"| {' | '.join(HEADS)} |", "|" + "---|" * len(HEADS), *lines]
    told = dict(each for judged in results.judged for each in judged.run.environment.items())
    used = versions(told, "pymc", "pymc-extras", "numpyro", "blackjax", "jax")
    into_readme({"fits": "\n".join([*table, "", f"*{used}; seed 0; {planned(out)}.*"])})


def _line(by_model: dict[str, Judged], method: str, backend: str) -> str:
    exactly = {"laplace": "Laplace, exactly", "advi-matched": "best mean-field normal"}
    name = exactly.get(method, "best normal") if backend == "exact" else f"`{backend}` `{method}`"
    cells = [
        cell
        for model in ("unordered", "ordered")
        for cell in _cells(by_model[model].scores.metrics)
    ]
    return f"| {' | '.join([name, *cells])} |"


def _cells(metrics: dict[str, float | None]) -> list[str]:
    return [fixed(metrics["gap"], 4), fixed(metrics["kl"], 3), fixed(metrics["pareto_k"], 2)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

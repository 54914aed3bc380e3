"""Label switching under the seed's own settings: the table in the README.

Run: gmixbench run --profile seed --method nuts --model unordered --dataset close
     --dataset separated --seed 0 --seed 1 --seed 2 --seed 3 --seed 4 --out FOLDER
and then: python benchmarks/seeds.py FOLDER
"""

import sys
from pathlib import Path

from gmixbench.lab.results import judge_folder

HEAD = "| data | backend | seed | R-hat | relabelled | switches by chain | labels |"


def main(out: Path) -> None:
    """Print one row for each run of `unordered`."""
    print(HEAD)
    print("|---|---|---|---|---|---|---|")
    for judged in judge_folder(out).judged:
        case, metrics = judged.run.case, judged.scores.metrics
        if case.model.ordered or case.method != "nuts":
            continue
        switches = ", ".join(str(chain.switches) for chain in judged.scores.chains)
        print(
            f"| {case.dataset} | {case.backend} | {case.seed} | {metrics['rhat']:.2f} "
            f"| {metrics['rhat_relabelled']:.3f} | {switches} | {judged.verdict.labels} |"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

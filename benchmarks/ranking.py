"""Put the ranking of a folder that `gmixbench run` made into benchmarks/ranking, with figures.

Run: python benchmarks/ranking.py FOLDER
"""

import sys
from pathlib import Path

from published import ROOT, machine, planned, versions

from gmixbench.lab.results import judge_folder
from gmixbench.lab.store import plan_of
from gmixbench.report import ranking, style
from gmixbench.report.panel import is_nuts
from gmixbench.report.ranking_table import as_markdown
from gmixbench.ruler.ranking import rank_each

THERE = ROOT / "benchmarks" / "ranking"

PAGE = """# Samplers side by side

{sections}
*{machine}; {versions}; profile {profile}; {date}.*

`gmixbench run --backend all --backend exact --method nuts` measured it; `gmixbench ranking` shows
it, and says how it is read; `benchmarks/ranking.py` wrote this page.
"""


def main(out: Path) -> None:
    """Write README.md and the figures there."""
    results = judge_folder(out)
    nuts = [judged for judged in results.judged if is_nuts(judged)]
    failures = [each for each in results.failures if each.case.method == "nuts"]
    sections = []
    for dataset, model, found in rank_each(nuts, failures):
        stem = f"{dataset}-{model.name}"
        with style.house_style():
            for name, draw in (("ranking", ranking.ranking), ("factors", ranking.factors)):
                (THERE / f"{stem}-{name}.png").write_bytes(style.png(draw(found)))
        figures = "\n\n".join(f"![{name}]({stem}-{name}.png)" for name in ("ranking", "factors"))
        sections.append(f"## {model.name} on {dataset}\n\n{figures}\n\n{as_markdown(found)}")
    told = results.environment
    used = dict(each for judged in results.judged for each in judged.run.environment.items())
    page = PAGE.format(
        sections="\n".join(sections),
        machine=machine(told),
        versions=versions(used, "python", "pymc", "nutpie", "numpyro", "blackjax", "jax", "numba"),
        profile=plan_of(out).profile,
        date=planned(out),
    )
    (THERE / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

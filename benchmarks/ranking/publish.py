"""Put the ranking of a folder that `gmixbench run` made beside this file: tables and figures.

Run: python benchmarks/ranking/publish.py FOLDER
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from gmixbench.lab.results import judge_folder
from gmixbench.lab.store import plan_of
from gmixbench.report import ranking, style
from gmixbench.report.panel import is_nuts
from gmixbench.report.ranking_table import as_markdown
from gmixbench.ruler.ranking import rank_each

HERE = Path(__file__).parent

PAGE = """# Samplers side by side

{sections}
*{machine}; {versions}; profile {profile}; {date}.*

`gmixbench run --backend all --backend exact --method nuts` measured it; `gmixbench ranking` shows
it, and says how it is read; `benchmarks/ranking/publish.py` wrote this page.
"""

NAMES = {
    "Python": "python",
    "PyMC": "pymc",
    "nutpie": "nutpie",
    "NumPyro": "numpyro",
    "BlackJAX": "blackjax",
    "JAX": "jax",
    "Numba": "numba",
}


def main(out: Path) -> None:
    """Write README.md and the figures here."""
    results = judge_folder(out)
    nuts = [judged for judged in results.judged if is_nuts(judged)]
    failures = [each for each in results.failures if each.case.method == "nuts"]
    sections = []
    for dataset, model, found in rank_each(nuts, failures):
        stem = f"{dataset}-{model.name}"
        with style.house_style():
            for name, draw in (("ranking", ranking.ranking), ("factors", ranking.factors)):
                (HERE / f"{stem}-{name}.png").write_bytes(style.png(draw(found)))
        figures = "\n\n".join(f"![{name}]({stem}-{name}.png)" for name in ("ranking", "factors"))
        sections.append(f"## {model.name} on {dataset}\n\n{figures}\n\n{as_markdown(found)}")
    told = results.environment
    made = datetime.fromtimestamp((out / "plan.json").stat().st_mtime, UTC).date()
    page = PAGE.format(
        sections="\n".join(sections),
        machine=f"{told['cpu']}, {told['cores']} cores",
        versions=", ".join(f"{name} {told[key]}" for name, key in NAMES.items() if key in told),
        profile=plan_of(out).profile,
        date=made,
    )
    (HERE / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What `gmixbench compare` finds of pairs of releases, beside what is claimed of them.

    python benchmarks/pairs/ask.py             every pair, and the page
    python benchmarks/pairs/ask.py NAME ...    some pairs, and the page of all
    python benchmarks/pairs/ask.py --page      the page alone, from what is here

Each pair leaves `NAME.json`, its whole comparison, beside this file; called again, a comparison
that has no answer yet goes on. The page is `README.md`.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pairs import PAIRS, Pair

from gmixbench.lab.comparison import folder
from gmixbench.report.comparison.markdown import comparison_markdown
from gmixbench.report.comparison.words import headline, sentences
from gmixbench.report.markdown import row, text
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.nouns import Outcome

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    """Measure pairs by the command that a user has, and write the page."""
    for pair in PAIRS:
        if pair.name in (names or [each.name for each in PAIRS]):
            measure(pair)
    (HERE / "README.md").write_text(page(HERE), encoding="utf-8")


def measure(pair: Pair) -> None:
    """Go on with one pair."""
    with tempfile.TemporaryDirectory() as name:
        out, kept = Path(name), HERE / f"{pair.name}.json"
        if kept.is_file():
            shutil.copyfile(kept, out / folder.NAME)
        command = [sys.executable, "-m", "gmixbench.cli", "compare", pair.old, pair.new]
        try:
            subprocess.run([*command, *pair.options, "--out", name], check=False)
        finally:  # what was measured before an interrupt stays
            if (out / folder.NAME).is_file():
                shutil.copyfile(out / folder.NAME, kept)


def page(where: Path) -> str:
    """All pairs that were measured, in Markdown."""
    return "\n".join(_page(where)) + "\n"


def _page(where: Path) -> Iterator[str]:
    found = {pair: _outcome(where, pair) for pair in PAIRS}
    yield "# What is claimed of releases, and what `gmixbench compare` finds"
    yield ""
    yield "Made by `python benchmarks/pairs/ask.py`: NUTS on `ordered`, data set `close`, band 2 %,"
    yield "alpha 1 %, with the budgets that `pairs.py` gives. Each pair's whole comparison is the"
    yield "file of its name here. What is claimed is told in this project's words."
    yield ""
    yield "*It agrees* where seconds per gradient evaluation do what is claimed: without a claim,"
    yield "where they don't change. *Open* is what is not decided in the time it had."
    yield from ("", row(("pair", "claimed", "found", "so it", "blocks")), "|---|---|---|---|---:|")
    for pair, outcome in found.items():
        if outcome:
            yield _summary(pair, outcome)
    for pair, outcome in found.items():
        if outcome:
            yield from _section(pair, outcome)


def _outcome(where: Path, pair: Pair) -> Outcome | None:
    path = where / f"{pair.name}.json"
    if not path.is_file():
        return None
    with tempfile.TemporaryDirectory() as name:
        shutil.copyfile(path, Path(name) / folder.NAME)
        comparison = folder.read(Path(name))
    return judge(comparison) if comparison else None


def _summary(pair: Pair, outcome: Outcome) -> str:
    first, *_ = sentences(outcome)
    claimed = pair.claim if pair.source is None else f"{pair.claim} ({pair.source})"
    cells = (f"{pair.old} → {pair.new}", claimed, first, agrees(pair, outcome), str(outcome.blocks))
    return row(cells)


def agrees(pair: Pair, outcome: Outcome) -> str:
    """Whether what was found is what is claimed."""
    if pair.elsewhere:
        return f"can't be tested here: {pair.elsewhere}"
    clock = (each.verdict for each in outcome.whole if each.metric == "seconds_per_gradient")
    found = next(clock, "inconclusive")
    if found == "inconclusive":
        return "is open"
    return "agrees" if found == pair.expected else "disagrees"


def _section(pair: Pair, outcome: Outcome) -> Iterator[str]:
    comparison = outcome.comparison
    days = sorted({each.began[:10] for each in comparison.readings})
    machine = comparison.machine
    yield from ("", f"## {pair.name}", "")
    yield f"*{text(headline(outcome))}; {machine.get('cpu', 'unknown CPU')}; {' to '.join(days)}.*"
    _, _, _, *rest = comparison_markdown(outcome).splitlines()
    yield from ("#" + line if line.startswith("###") else line for line in rest)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given == ["--page"]:
        (HERE / "README.md").write_text(page(HERE), encoding="utf-8")
    else:
        main(given)

"""How often `gmixbench compare` cries wolf and how often it finds a fault, beside other rules.

    python benchmarks/power/table.py [folder] [resamples]    # both as the page has them

Reads what `measure.py` left in a folder, this one unless told otherwise: `equal.csv`, with what a
second call measured beside it in `equal-*.csv`, and `planted.csv`. Every comparison is judged by
the project's own `judge`. Leaves `README.md` and `power.png` there.
"""

import sys
from collections import Counter
from pathlib import Path

from blocks import groups, processes, read
from chart import chart
from long import of_planted
from measure import BLOCKS, EQUAL, PLANTED
from page import page
from short import RUN, of_equal

from gmixbench.report import style

RESAMPLES = 300
"""Comparisons of each fault: as many make the page in two or three minutes on one core."""


def main(folder: Path, resamples: int) -> None:
    """Write the page and its figure."""
    files = [folder / "equal.csv", *sorted(folder.glob("equal-*.csv"))]
    measured = [read(file, [*EQUAL]) for file in files]
    equal = [group for blocks in measured for group in groups(blocks, BLOCKS)]
    runs = [run for blocks in measured for run in groups(blocks, RUN * BLOCKS)]
    planted = [*read(folder / "planted.csv", [*PLANTED]).values()]
    short, long = of_equal(equal, runs), of_planted(planted, resamples)
    all_of_them = [each for group in [*equal, planted] for each in processes(group)]
    days = sorted({each.began[:10] for each in all_of_them})
    text = page(short, long, days, Counter(each.cpu for each in all_of_them))
    (folder / "README.md").write_text(text, encoding="utf-8")
    with style.house_style():
        (folder / "power.png").write_bytes(style.png(chart(short, long)))


if __name__ == "__main__":
    folder_, resamples_ = [*sys.argv[1:], *("", "")][:2]
    main(Path(folder_ or Path(__file__).parent), int(resamples_ or RESAMPLES))

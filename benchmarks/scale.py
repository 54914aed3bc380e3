"""Put a folder that `gmixbench scale` made into benchmarks/scale: its table, figure and scale.json.

Run: python benchmarks/scale.py FOLDER
"""

import shutil
import sys
from pathlib import Path

from published import ROOT, machine, planned, versions

from gmixbench.lab.scale import rows
from gmixbench.lab.store import scale_plan_of
from gmixbench.report.scale_page import as_markdown, busy, write_scale

THERE = ROOT / "benchmarks" / "scale"

PAGE = """# What a gradient costs as the data grow

![Time and memory of a gradient by observations, log-log, a line a row](scale.png)

{tables}
*{machine}; {versions}; {date}.* {load}

`gmixbench scale` measures it; `benchmarks/scale.py` wrote this page.
"""


def main(out: Path) -> None:
    """Write README.md, scale.png and scale.json there."""
    plan = scale_plan_of(out)
    told = plan.environment
    found = rows(out, plan.cases)
    write_scale(out, found, told)
    page = PAGE.format(
        tables=as_markdown(found),
        machine=machine(told),
        versions=versions(told, "python", "pymc", "numpyro", "jax", "numba"),
        date=planned(out),
        load=busy(found, told),
    )
    (THERE / "README.md").write_text(page, encoding="utf-8")
    shutil.copyfile(out / "figures" / "scale.png", THERE / "scale.png")
    shutil.copyfile(out / "scale.json", THERE / "scale.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

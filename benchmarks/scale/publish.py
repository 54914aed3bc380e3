"""Put a folder that `gmixbench scale` made beside this file: its table, figure and scale.json.

Run: python benchmarks/scale/publish.py FOLDER
"""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from gmixbench.lab.scale import rows
from gmixbench.lab.store import scale_plan_of
from gmixbench.report.scale_page import as_markdown, busy, write_scale

HERE = Path(__file__).parent

PAGE = """# What a gradient costs as the data grow

![Time and memory of a gradient by observations, log-log, a line a row](scale.png)

{tables}
*{machine}; {versions}; {date}.* {load}

`gmixbench scale` measures it; `benchmarks/scale/publish.py` wrote this page.
"""

NAMES = {
    "Python": "python",
    "PyMC": "pymc",
    "NumPyro": "numpyro",
    "JAX": "jax",
    "Numba": "numba",
}


def main(out: Path) -> None:
    """Write README.md, scale.png and scale.json here."""
    plan = scale_plan_of(out)
    told = plan.environment
    found = rows(out, plan.cases)
    write_scale(out, found, told)
    made = datetime.fromtimestamp((out / "plan.json").stat().st_mtime, UTC).date()
    page = PAGE.format(
        tables=as_markdown(found),
        machine=f"{told['cpu']}, {told['cores']} cores",
        versions=", ".join(f"{name} {told[key]}" for name, key in NAMES.items() if key in told),
        date=made,
        load=busy(found, told),
    )
    (HERE / "README.md").write_text(page, encoding="utf-8")
    shutil.copyfile(out / "figures" / "scale.png", HERE / "scale.png")
    shutil.copyfile(out / "scale.json", HERE / "scale.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

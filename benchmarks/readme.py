"""Put what a run printed into the README: its tables, its figure, the machine and the date.

Run: make bench ARGS="--out FOLDER" and then: python benchmarks/readme.py FOLDER
"""

import shutil
import subprocess
import sys
from pathlib import Path

from published import ROOT, into_readme, machine, planned, versions

from gmixbench.lab.store import plan_of

FIGURE = "close-unordered-trace.png"


def main(out: Path) -> None:
    """Rewrite the marked parts of the README from a folder that `run` made."""
    command = [sys.executable, "-m", "gmixbench.cli", "score", str(out)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = "\n".join(line.rstrip() for line in printed.splitlines() if "report:" not in line)
    told = plan_of(out).environment
    used = versions(told, "python", "pymc", "numpyro", "jax")
    into_readme(
        {
            "output": f"```text\n{shown}\n```",
            "machine": f"*{machine(told)}, shared; {used}; {planned(out)}.*",
        }
    )
    (ROOT / "benchmarks" / "readme").mkdir(exist_ok=True)
    shutil.copyfile(out / "figures" / FIGURE, ROOT / "benchmarks" / "readme" / "trace.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Put what a run printed into the README: its tables, its figure, the machine and the date.

Run: make bench ARGS="--out FOLDER" and then: python benchmarks/readme.py FOLDER
"""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from gmixbench.lab.store import plan_of

ROOT = Path(__file__).parents[1]
FIGURE = "close-unordered-trace.png"


def main(out: Path) -> None:
    """Rewrite the marked parts of the README from a folder that `run` made."""
    command = [sys.executable, "-m", "gmixbench.cli", "score", str(out)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shown = "\n".join(line.rstrip() for line in printed.splitlines() if "report:" not in line)
    environment = plan_of(out).environment
    versions = ", ".join(
        f"{name} {environment[key]}"
        for name, key in {
            "Python": "python",
            "PyMC": "pymc",
            "NumPyro": "numpyro",
            "JAX": "jax",
        }.items()
    )
    made = datetime.fromtimestamp((out / "plan.json").stat().st_mtime, UTC).date()
    machine = f"{environment['cpu']}, {environment['cores']} cores, shared; {versions}; {made}"
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    text = between(text, "output", f"```text\n{shown}\n```")
    text = between(text, "machine", f"*{machine}.*")
    readme.write_text(text, encoding="utf-8")
    (ROOT / "benchmarks" / "readme").mkdir(exist_ok=True)
    shutil.copyfile(out / "figures" / FIGURE, ROOT / "benchmarks" / "readme" / "trace.png")


def between(text: str, name: str, content: str) -> str:
    """Text with other content between the marks of that name."""
    marks = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.escape(marks[0]) + r".*?" + re.escape(marks[1])
    return re.sub(pattern, lambda _: f"{marks[0]}\n{content}\n{marks[1]}", text, flags=re.DOTALL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

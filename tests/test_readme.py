"""The README's commands, in their fast forms, so that they can't drift."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.*?)(?:\s+#.*)?$", README, re.MULTILINE)
GMIXBENCH = [command for command in COMMANDS if command.startswith("gmixbench ")]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
FAST = ["--backend", "exact", "--profile", "quick", "--model", "ordered"]


def gmixbench(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gmixbench.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user would stand: with data of their own, and a run behind them."""
    path = tmp_path_factory.mktemp("readme")
    (path / "heights.csv").write_text("height\n" + "\n".join(str(150 + 0.7 * k) for k in range(50)))
    gmixbench(["run", *FAST, "--out", "done"], path)
    return path


def test_there_are_commands() -> None:
    assert MAKE == ["make bench", "make test"]
    assert len(GMIXBENCH) >= 8


@pytest.mark.parametrize("command", GMIXBENCH)
def test_command_works(command: str, folder: Path) -> None:
    _, name, *arguments = shlex.split(command)
    arguments = ["done" if word.startswith("results/") else word for word in arguments]
    fast = [*FAST, "--method", "nuts"] if name == "run" else []
    assert gmixbench([name, *arguments, *fast], folder)


@pytest.mark.parametrize("command", MAKE)
def test_make_targets_do_what_they_say(command: str) -> None:
    make = shutil.which("make")
    assert make
    command_line = [make, "-n", command.split()[1]]
    plan = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert plan.returncode == 0, plan.stderr
    assert ("gmixbench run" if command == "make bench" else "pytest") in plan.stdout


def test_shown_output_is_what_is_printed(folder: Path) -> None:
    """The tables of the first screen have the headings and the rows that `run` prints."""
    (block,) = re.findall(
        r"<!-- output: begin -->\s*```text\n(.*?)```", README, re.DOTALL | re.MULTILINE
    )
    shown = [line.split() for line in block.splitlines()]
    printed = [line.split() for line in gmixbench(["score", "done"], folder).splitlines()]
    for title in ("NUTS", "ADVI"):
        assert shown[shown.index([title]) + 1] == printed[printed.index([title]) + 1]
    for method in ("advi-matched", "advi-library"):
        for backend in ("pymc", "numpyro"):
            assert any(method in row and backend in row for row in shown), (method, backend)


@pytest.mark.slow
def test_make_bench_from_a_fresh_clone(tmp_path: Path) -> None:
    git, make = shutil.which("git"), shutil.which("make")
    assert git
    assert make
    clone = tmp_path / "gmixbench"
    subprocess.run([git, "clone", "--quiet", str(ROOT), str(clone)], check=True)
    arguments = "ARGS=--backend exact --profile quick --out here"
    done = subprocess.run(
        [make, "bench", arguments], cwd=clone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (clone / "here" / "report.html").stat().st_size > 100_000

"""The README's commands, in their fast forms, so that they can't drift."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gmixbench import cli
from gmixbench.cli import options
from gmixbench.disk import read_job, write_record
from gmixbench.lab import execute, history, planning, rounds, stacks
from gmixbench.measured import worker
from gmixbench.record import Failure
from gmixbench.ruler.history import Measurement, Session
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import GRADIENT, METHODS, MODELS, Case

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.*?)(?:\s+#.*)?$", README, re.MULTILINE)
OWN = [command for command in COMMANDS if command.startswith("gmixbench ")]
LONG = ("compare", "noise", "bisect", "reference")
COMPARING = [
    # The exact backend, which stands in for others elsewhere, has no draws of a general mixture.
    command
    for command in OWN
    if command.split()[1] in LONG or "ordered_full" in command
]
GMIXBENCH = [command for command in OWN if command not in COMPARING]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
FAST = ["--backend", "exact", "--profile", "quick", "--model", "ordered"]


def sampled_here(wait: Callable[..., Failure | None]) -> Callable[..., Failure | None]:
    """Sample in this process, where the exact posterior is known already."""

    def sample(case: Case, scratch: Path, *rest: Any) -> Failure | None:
        if case.method == GRADIENT:
            return wait(case, scratch, *rest)
        write_record(scratch / "record", worker.measure(read_job(scratch / "job")))
        return None

    return sample


def gmixbench(arguments: list[str], folder: Path, code: int = 0, *, workers: bool = False) -> str:
    """Call the command there, in this process: tests/test_cli.py starts it as a user does.

    So it samples, unless `workers` are to do so.
    """
    out, err = StringIO(), StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setenv("COLUMNS", "120")
        patch.setattr(options.console, "width", 120)
        patch.setattr(sys, "argv", ["gmixbench", *arguments])
        if not workers:
            patch.setattr(execute, "_wait", sampled_here(execute._wait))
        with pytest.raises(SystemExit) as caught:
            cli.main()
    signal.signal(signal.SIGTERM, before)
    assert (caught.value.code or 0) == code, out.getvalue() + err.getvalue()
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user would stand: with data of their own, and a run behind them."""
    path = tmp_path_factory.mktemp("readme")
    (path / "heights.csv").write_text("height\n" + "\n".join(str(150 + 0.7 * k) for k in range(50)))
    gmixbench(["run", *FAST, "--out", "done"], path)
    gmixbench(["scale", "--backend", "exact", "--most", "100", "--out", "sizes"], path)
    measured_already(path)
    for side in ("base", "head"):
        shutil.copytree(path / "done", path / side)
    (path / "pymc").mkdir()
    (path / "pymc" / "pyproject.toml").write_text(CHECKOUT)
    (path / "pymc" / "pymc.py").touch()
    return path


CHECKOUT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "pymc"
version = "6.9.0"
"""


def measured_already(path: Path) -> None:
    """A history with nothing left to do, so that its commands read and draw, and build nothing."""
    locks = path / "benchmarks" / "stacks"
    locks.mkdir(parents=True)
    for name in ("numpyro-v0.22.0", "pymc-v6.0.1", "pymc-v6.4.0"):
        shutil.copy(ROOT / "benchmarks" / "stacks" / f"{name}.txt", locks)
    mine = (locks / "pymc-v6.4.0.txt").read_text().replace("pymc-v6.4.0", "pymc-mine")
    (locks / "pymc-mine.txt").write_text(mine)
    known = stacks.stacks(locks)
    wanted = planning.Wanted(known, "quick", tuple(MODELS), METHODS[:2], "close", rounds=3)
    names = tuple(stack.name for stack in known)
    session = Session(
        "2026-11-22-1", "2026-11-22", history.machine(), names, names, (0, 1, 2),
        wanted.dataset, wanted.models, wanted.methods,
    )  # fmt: skip
    folder = path / "benchmarks" / "history"
    history.write_header(folder, history.Header("quick", (session,)))
    for stack in known:
        rows = [
            Measurement(
                case, session.name, k, session.began, stack.digest, True,
                metrics=dict.fromkeys(METRICS, 1.0 + 0.01 * k), environment={},
            )
            for k in session.rounds
            for case in wanted.cases(stack, k)
        ]  # fmt: skip
        history.append(folder, rounds.release(stack), rows)


def test_there_are_commands() -> None:
    assert MAKE == ["make bench", "make test"]
    assert len(GMIXBENCH) >= 8


def _slow(command: str) -> object:
    # uv asks the registry for what it locks.
    asks = command.startswith("gmixbench stacks lock")
    return pytest.param(command, marks=pytest.mark.slow) if asks else command


@pytest.mark.parametrize("command", [_slow(command) for command in GMIXBENCH])
def test_command_works(command: str, folder: Path, request: pytest.FixtureRequest) -> None:
    _, name, *arguments = shlex.split(command)
    whole = command == "gmixbench run --profile quick"
    if name == "run" and not whole:
        request.getfixturevalue("no_report")  # one page is enough, and takes seconds
    arguments = ["done" if word.startswith("results/") else word for word in arguments]
    # All that sample would do so for minutes; the exact one is asked for in their place.
    arguments = ["exact" if word == "all" else word for word in arguments]
    fast = [*FAST, "--method", "nuts"] if name == "run" else []
    if name == "scale":
        arguments = ["sizes" if word == "done" else word for word in arguments]
        fast = [] if "report" in arguments else ["--most", "100", "--out", "more"]
    if command.startswith("gmixbench stacks lock"):
        fast = ["--locks", "elsewhere"]
    assert gmixbench([name, *arguments, *fast], folder, workers=whole)


@pytest.mark.parametrize("command", COMPARING)
def test_long_commands_have_these_options(command: str, folder: Path) -> None:
    _, name, *arguments = shlex.split(command)
    told = gmixbench([name, "--help"], folder)
    assert all(word in told for word in arguments if word.startswith("--"))


def test_a_comparison_begins_and_says_what_would_do(folder: Path) -> None:
    sides = ["here:exact", "here:exact"]
    told = gmixbench(["compare", *sides, "--budget", "1s"], folder, code=4, workers=True)
    assert "the next look, after block 13, is" in told
    assert "report: results/compare-here-exact-here-exact-" in told


def test_the_harnesses_are_called_as_tests_suite_calls_them() -> None:
    found = [command for command in COMMANDS if command.split()[0] in ("asv", "pytest")]
    assert found == ["asv machine --yes", "asv run", "pytest --benchmark-only"]
    (installed,) = re.findall(r"`(pytest --pyargs [^`]*)`", README)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(installed), "--collect-only", "-q"],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_nuts" in done.stdout


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
        heads = printed[printed.index([f"{title},", "ordered"]) + 1]
        assert shown[shown.index([title]) + 1] == ["model", *heads]  # where there are two of them
    for method in ("advi-matched", "advi-library"):
        for backend in ("pymc", "numpyro"):
            assert any(method in row and backend in row for row in shown), (method, backend)


def test_both_pages_say_what_the_gate_takes_of_asv_and_how_much_it_needs() -> None:
    asv = (ROOT / "benchmarks" / "asv" / "README.md").read_text(encoding="utf-8")
    for page in (README, asv):
        told = " ".join(page.split())
        assert "`.asv/results/MACHINE/COMMIT-ENV.json`" in told
        assert re.search(r"[Oo]f one file a side it .*can't tell \(exit 4\).* seven", told)
        assert "gmixbench compare" in told


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

"""An asv suite of somebody else, for tests of the benchmarks and of the page they end up in."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gmixbench.ruler.metrics import METRICS
from gmixbench.suite import asv_plan

MADE = """
    import json
    import os

    from gmixbench.suite import asv
    from gmixbench.suite.asv_plan import Fitted, METHODS

    def made(self):
        told = json.loads(os.environ["MADE"])

        def fitted(times):
            if "refused" in told:
                return Fitted(refused=told["refused"])
            return Fitted(tuple({name: times * fit[name] for name in fit} for fit in told["fits"]))

        return {(stack, model, method): fitted(times)
                for times, stack in enumerate(asv.PLAN.stacks, 1)
                for model in ("unordered", "ordered") for method in METHODS}

    class Advi(asv.Advi):
        setup_cache = made

    class Nuts(asv.Nuts):
        setup_cache = made
"""
"""Our benchmarks on numbers that a test makes up: twice as large for a second stack, and so on."""


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """Home of somebody whose project has an asv suite with nothing in it; to be copied."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "theirs"
    (folder / "speed").mkdir(parents=True)
    config = {
        "version": 1,
        "project": "theirs",
        "repo": ".",
        "branches": ["HEAD"],
        "environment_type": "existing",
        "benchmark_dir": "speed",
        "results_dir": "results",
        "html_dir": "html",
    }
    (folder / "asv.conf.json").write_text(json.dumps(config))
    (folder / ".gitignore").write_text("results\nhtml\n__pycache__\n")
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        [sys.executable, "-m", "asv", "machine", "--yes"],
    ):
        environment = {**os.environ, "HOME": str(home)}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return home


@pytest.fixture
def suite(project, tmp_path, monkeypatch, plant):
    """Somebody else's project in git, with an asv suite; gives what its user can do there."""
    home = tmp_path / "home"
    shutil.copytree(project, home)
    folder = home / "theirs"
    monkeypatch.setenv("HOME", str(home))  # asv keeps there what it knows of the machine
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))  # no stack is built there
    monkeypatch.delenv("GMIXBENCH_STACKS", raising=False)
    plant("none")  # sets PYTHONPATH, which asv withholds from benchmarks unless told to keep it
    monkeypatch.setenv("ASV_PYTHONPATH", os.environ["PYTHONPATH"])

    def call(program: list[str], code: int | None = 0) -> str:
        done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert code is None or done.returncode == code, said
        return said

    def git(*arguments: str) -> str:
        name = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return call(["git", *name, *arguments]).strip()

    def commit() -> str:
        git("add", "-A")
        git("commit", "--quiet", "--allow-empty", "-m", "their work")
        return git("rev-parse", "HEAD")

    def write(benchmarks: str) -> str:
        source = "\n".join(line[4:] for line in benchmarks.splitlines())
        (folder / "speed" / "__init__.py").write_text("")
        (folder / "speed" / "mixtures.py").write_text(source)
        return commit()

    def command(*arguments: str, code: int | None = 0) -> str:
        return call([sys.executable, "-m", "asv", *arguments], code)

    def run(commit: str, *arguments: str, code: int | None = 0) -> str:
        fast = ["--launch-method", "forkserver", "--show-stderr"]
        return command("run", "--set-commit-hash", commit, *fast, *arguments, code=code)

    def path(commit: str) -> Path:
        (found,) = (folder / "results").glob(f"*/{commit[:8]}-*.json")
        return found

    def results(commit: str) -> dict[str, tuple[float | None, ...] | None]:
        """Values by benchmark, for all its parameters; None where it failed for each."""
        told = json.loads(path(commit).read_text())["results"]
        return {name: each[0] and tuple(each[0]) for name, each in told.items()}

    return SimpleNamespace(
        folder=folder,
        write=write,
        commit=commit,
        command=command,
        run=run,
        path=path,
        results=results,
    )


def numbers(*, factor: float = 1.0) -> dict[str, float]:
    """Every metric, worse by `factor` in its own direction."""
    return {
        name: 2.0 * (factor if metric.better == "lower" else 1 / factor)
        for name, metric in METRICS.items()
    }


@pytest.fixture
def made(suite, monkeypatch):
    """Runner of asv on made fits at a new commit: each fit worse than the first by its factor."""
    suite.write(MADE)

    def run(*factors: float, code: int = 0, arguments: tuple[str, ...] = ()) -> str:
        fits = [numbers(factor=each) for each in factors]
        monkeypatch.setenv("MADE", json.dumps({"fits": fits} if fits else {"refused": "made so"}))
        commit = suite.commit()
        suite.run(commit, *arguments, code=code)
        return commit

    monkeypatch.setenv(asv_plan.STACKS_VARIABLE, "here-exact")
    return run

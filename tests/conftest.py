"""What holds for every test."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

import gmixbench
from gmixbench import cli

os.environ.setdefault("MPLBACKEND", "Agg")  # read when matplotlib is first imported


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave to `pytest --benchmark-only` the benchmarks alone: they stand in gmixbench/suite."""
    return True if config.getoption("benchmark_only") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `browser` where no browser is installed; `.ci/run` installs one."""
    if shutil.which("chromium"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no chromium on PATH"))  # CI has it


@pytest.fixture(scope="session")
def script() -> Callable[[Path, str], Path]:
    """Write a program of one shell line, to stand in for a real one."""

    def write(path: Path, body: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write


ROOT = str(Path(gmixbench.__file__).parents[1])
"""For workers that are started in another folder, where the package may not be installed."""

PLANTED = """
    import numpy as np

    from gmixbench.record import Counters, Density, Draws, Fit, Measured, Timing

    PACKAGES = ("numpy",)

    def build(job):
        return job

    def density(model, points):
        return Density(points, np.zeros(len(points)), np.zeros((len(points), 2)))

    def sample(model, job):
        settings = job.case.settings
        rng = np.random.default_rng(job.case.seed)
        means = np.sort(rng.normal(size=(settings.chains, settings.draws, 2)))
        return Measured(Draws(means), Timing(warmup_s=0.1, sample_s=0.1), Counters())

    def fit_advi(model, job):
        settings = job.case.settings
        trace, means = np.zeros(settings.steps), np.zeros((settings.draws, 2))
        return Measured(Fit(trace, np.zeros(2), np.ones(2), means), Timing(fit_s=0.1), Counters())
"""
"""A backend that is done at once, and wrong in all it says."""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Write a backend module that workers find, and give its name.

    It is `PLANTED` with the functions of `source` in place of its own.
    """
    folder = tmp_path / "modules"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), ROOT]))

    def write(name: str, source: str = "") -> str:
        (folder / "planted").mkdir(parents=True, exist_ok=True)
        (folder / "planted" / f"{name}.py").write_text(dedent(PLANTED) + dedent(source))
        return f"planted.{name}"

    return write


@pytest.fixture
def planted_python(tmp_path: Path) -> Path:
    """Interpreter that has the planted modules: one of a stack does not heed `PYTHONPATH`."""
    start = (
        f"import runpy, sys; sys.path.append({str(tmp_path / 'modules')!r}); "
        "sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0]); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(start)} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., SimpleNamespace]]:
    """Call the command in this process and an empty folder; gives its exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    if "PYTHONPATH" not in os.environ:
        monkeypatch.setenv("PYTHONPATH", ROOT)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gmixbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        code = caught.value.code
        return SimpleNamespace(code=0 if code is None else code, out=captured.out, err=captured.err)

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: most tests are not about the page."""
    from gmixbench.report import page

    def write(out: Path, *_: object) -> Path:
        (out / "report.html").write_text("")
        return out / "report.html"

    monkeypatch.setattr(page, "write_report", write)


@pytest.fixture(scope="session")
def stack_python() -> Callable[[str], Path]:
    """Interpreter of a stack of `benchmarks/stacks`, by name; skips where it can't be had."""
    from gmixbench.lab import building
    from gmixbench.lab import stacks as locks

    def python(name: str) -> Path:
        try:
            return building.build(locks.find(name, Path(ROOT) / locks.FOLDER))
        except locks.StackError as error:
            pytest.skip(str(error))  # no such interpreter, or no way to an index: it says which

    return python

"""What holds for every test."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gmixbench
from gmixbench import cli
from gmixbench.lab import datasets
from gmixbench.lab.comparison import blocks
from gmixbench.record import Counters, Density, Draws, Failure, Job, Record, Run, Timing
from gmixbench.ruler.comparison.looks import FIRST
from gmixbench.ruler.comparison.nouns import Comparison, Reading, Task, Variant
from gmixbench.ruler.score import Check, Scores, score
from gmixbench.spec import MODELS, PROFILES, Case, Prior
from gmixbench.truth import density
from gmixbench.truth import solve as solving
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

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


AS_IN_A_TERMINAL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from gmixbench.cli import main
main()
"""


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """Starter of a command in a process of its own, where Ctrl-C works as in a terminal."""

    def begin(
        folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", AS_IN_A_TERMINAL, *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return begin


@pytest.fixture(autouse=True, scope="session")
def solved_once() -> Iterator[None]:
    """Find each exact posterior once in a process, however many tests and commands ask for it.

    But for those tests whose subject it is: `solved_anew`, in tests/truth.
    """
    known: dict[tuple[bytes, float, Prior], Exact] = {}
    kept = solving._solve

    def solve_once(x: NDArray[np.float64], sigma: float, prior: Prior) -> Exact:
        key = x.tobytes(), sigma, prior
        if key not in known:
            known[key] = kept(x, sigma, prior)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving, "_solve", solve_once)
        yield


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
        return Measured(Fit(trace, np.zeros(2), np.eye(2), means), Timing(fit_s=0.1), Counters())
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


Values = Mapping[str, NDArray[np.float64]]
"""Metrics of a task, each of shape (blocks, variants); NaN where one is not told."""


@pytest.fixture(scope="session")
def made_values() -> Callable[..., Values]:
    """Make up plausible metrics of a task, shape (blocks, variants).

    `changes` are, for each variant, factors by which it differs from the first one. The clock is
    as noisy as `noise` says; ESS per gradient evaluation is the same on all sides but for `trees`.
    `wild` are factors on the clock of some (block, variant).
    """
    return _made_values


def _made_values(
    *changes: Mapping[str, float],
    method: str = "nuts",
    blocks: int = 30,
    noise: float = 0.004,
    trees: float = 0.0,
    wild: Mapping[tuple[int, int], float] | None = None,
    seed: int = 0,
) -> Values:
    steps: list[Mapping[str, float]] = [{}, *changes]
    streams = count(seed)

    def normal(columns: int) -> NDArray[np.float64]:
        return np.column_stack([_normal(blocks, next(streams)) for _ in range(columns)])

    def spread(metric: str, value: float, by: float) -> NDArray[np.float64]:
        factors = np.array([step.get(metric, 1.0) for step in steps])
        return np.asarray(value * factors * np.exp(by * normal(len(steps))))

    clock = spread("seconds_per_gradient", 31e-6, noise)
    for place, factor in (wild or {}).items():
        clock[place] *= factor
    compile_s, import_s = spread("compile_s", 4.2, 0.03), spread("import_s", 1.3, 0.08)
    memory = spread("peak_memory", 5.1e8, 0.002)
    if method != "nuts":
        gap = 0.005 + 1e-3 * normal(1) + [step.get("gap", 0.0) for step in steps]
        return {
            "steps_per_second": 0.3 / clock,
            "gap": gap + 2e-4 * normal(len(steps)),
            "compile_s": compile_s,
            "import_s": import_s,
            "peak_memory": memory,
        }
    by_seed = np.exp(0.2 * normal(1))
    algorithm = by_seed * spread("ess_per_gradient", 0.021, trees)
    speed = algorithm / clock
    return {
        "seconds_per_gradient": clock,
        "ess_per_gradient": algorithm,
        "ess_per_second": speed,
        "draws_per_second": 0.14 / clock,
        "warmup_s": 4e4 * clock,
        "compile_s": compile_s,
        "time_to_ess_1000": compile_s + 4e4 * clock + 1000 / speed,
        "import_s": import_s,
        "peak_memory": memory,
    }


def _normal(size: int, stream: int) -> NDArray[np.float64]:
    """Normal scores in an order that looks random, the same in every version of NumPy."""
    primes = [n for n in range(2, 400) if all(n % k for k in range(2, n))]
    places = np.arange(1, size + 1) * sqrt(primes[stream]) % 1
    return np.array([NormalDist().inv_cdf(float(place)) for place in places])


@pytest.fixture(scope="session")
def comparison_of() -> Callable[..., Comparison]:
    """Make a comparison of arrays of values, by task: "ordered nuts", "unordered advi-matched"...

    `z` are the distances of variants from the exact posterior at the first look; `faults`
    and `failures` are what is wrong with all their processes; `same` says their draws are.
    """
    return _comparison_of


def _comparison_of(
    tables: Mapping[str, Values],
    *,
    names: Sequence[str] = ("A", "B", "C", "D"),
    packages: Sequence[Mapping[str, str]] = ({"pymc": "6.3.2"}, {"pymc": "6.4.0"}),
    z: Mapping[int, float] | None = None,
    faults: Mapping[int, str] | None = None,
    failures: Mapping[int, str] | None = None,
    same: bool = False,
    band: float = 0.02,
) -> Comparison:
    blocks, sides = next(iter(next(iter(tables.values())).values())).shape
    locked = [dict(packages[min(k, len(packages) - 1)]) for k in range(sides)]
    variants = tuple(
        Variant(names[k], f"stack-{k}", "pymc", {"python": "3.13.0", **locked[k]}, str(k) * 64)
        for k in range(sides)
    )
    settings = PROFILES["standard"].settings
    words = [name.split() for name in tables]
    tasks = tuple(Task(MODELS[model], method, settings(method)) for model, method in words)
    readings = []
    for block in range(blocks):
        for k, (task, values) in enumerate(zip(tasks, tables.values(), strict=True)):
            for place, side in enumerate(np.roll(np.arange(sides), block)):
                case = Case("close", task.model, "pymc", task.method, task.settings, seed=block)
                told = {name: float(some[block, side]) for name, some in values.items()}
                reading = Reading(
                    block, int(side), k, place, case, cold=True, began=f"2026-11-25T20:{block:02}",
                    seconds=4.3,
                    metrics={name: None if np.isnan(one) else one for name, one in told.items()},
                    draws=f"{block}" if same else f"{block}-{side}",
                )  # fmt: skip
                if task.method == "nuts":
                    far = (z or {}).get(int(side), 0.4)
                    reading = replace(
                        reading, checks=_checks(far / sqrt(min(blocks, FIRST))), ess=4000.0
                    )
                if (faults or {}).get(int(side)):
                    reading = replace(reading, faults=(faults[int(side)],))
                if (failures or {}).get(int(side)):
                    reading = replace(reading, failure=failures[int(side)], metrics={}, checks=())
                readings.append(reading)
    machine = {"processor": "Some CPU, 2 cores", "platform": "Linux 6.1", "arviz-stats": "1.3"}
    return Comparison(variants, tasks, "close", band, 0.01, 7, machine, tuple(readings))


def _checks(z: float) -> tuple[Check, ...]:
    """Ten checks of one process, the second so many standard errors off."""
    names = [
        f"{figure} of the {which} mean"
        for which in ("smaller", "larger")
        for figure in ("mean", "sd", "5 % quantile", "95 % quantile")
    ]
    names += ["mean of the log density", "sd of the log density"]
    return tuple(
        Check(name, 0.7 + 0.003 * far, 0.7, 0.003, abs(far))
        for name, far in zip(names, [0.01, 0.01, 0.01, 0.01, z, *[0.01] * 5], strict=True)
    )


GRADIENTS = 7
"""Gradient evaluations that a draw takes where no process is run."""


@pytest.fixture(scope="session")
def close() -> Exact:
    """Exact posterior of the default data set."""
    return solve(datasets.load("close").x, MODELS["ordered"])


@pytest.fixture
def measured_jobs(monkeypatch: pytest.MonkeyPatch, close: Exact) -> list[Job]:
    """Put a fake in the place of processes; gives the jobs that it was asked for.

    Backend "slow" takes 1.2 times as long, "biased" is off by a standard deviation, "broken"
    fails, "stopped" is interrupted at its third process.
    """
    jobs: list[Job] = []

    def run_case(work: Job, out: Path, **_: Any) -> Record:
        jobs.append(work)
        if work.case.backend == "stopped" and sum(j.case.backend == "stopped" for j in jobs) == 3:
            raise KeyboardInterrupt
        (out / "runs").mkdir()
        return _record(work, close, len(jobs))

    monkeypatch.setattr(blocks, "run_case", run_case)
    monkeypatch.setattr("gmixbench.ruler.comparison.reading.score", _score_once)
    return jobs


_scores: dict[Hashable, Scores] = {}


def _score_once(run: Run, exact: Exact) -> Scores:
    """Scores of a run: tests that compare the same two have the same processes to score."""
    key = run.case, run.timing, run.result.means.tobytes()
    if key not in _scores:
        _scores[key] = score(run, exact)
    return _scores[key]


_means: dict[Hashable, NDArray[np.float64]] = {}


def _record(work: Job, exact: Exact, process: int) -> Record:
    case, settings = work.case, work.case.settings
    if case.backend == "broken":
        return Failure(case, "exception", "ValueError: no")
    shape = (settings.chains, 300, 2)  # whatever is asked: scoring takes its time
    key = exact.x.tobytes(), case.model, shape[0], case.seed
    if key not in _means:  # sides share them, and so do tests of the same question
        rng = np.random.default_rng(case.seed)
        _means[key] = exact.draws(case.model, shape[0] * shape[1], rng)
    means = _means[key] + (exact.figures.sd[0] if case.backend == "biased" else 0.0)
    pace = 1e-5 * {"slow": 1.2}.get(case.backend, 1.0)
    noise = np.random.default_rng(process).normal(0, 0.003, settings.chains)
    seconds = pace * shape[1] * GRADIENTS * np.exp(noise)
    counts = np.full(shape[:2], GRADIENTS)
    points = work.points
    return Run(
        case,
        Timing(import_s=0.5, build_s=0.1, compile_s=2.0, warmup_s=1.0, sample_s=seconds.sum()),
        Counters(gradients_warmup=100, gradients_sample=int(counts.sum())),
        Density(points, *density.log_density(case.model, work.x, points)),
        Draws(means.reshape(shape), gradients=counts, seconds=seconds),
        {},
    )

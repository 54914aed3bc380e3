"""The measured side in one file, run by interpreters that know nothing of gmixbench."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import uv

from gmixbench.disk import read_record, write_job
from gmixbench.lab import datasets, environment, interpreters, travel
from gmixbench.measured.protocol import BAD_JOB, PARENT_VARIABLE, USAGE
from gmixbench.record import Failure, Job, Run
from gmixbench.spec import MODELS, Case, NutsSettings

OLD_NUMPY = {"3.6": ("numpy==1.14.6", "dataclasses==0.8"), "3.7": ("numpy==1.16.6",)}
"""What is installed in place of the newest NumPy, by Python; 3.6 has no dataclasses of its own."""

BACKEND = """
import numpy as np

from gmixbench.record import Counters, Density, Draws, Measured, Timing

PACKAGES = ()


def build(job):
    return job


def density(model, points):
    return Density(points, points[:, 0] * np.pi, points / 3)


def sample(model, job):
    settings = job.case.settings
    shape = (settings.chains, settings.draws)
    means = np.resize(job.x, shape + (2,))
    diverging = means[..., 0] > 0
    return Measured(Draws(means, diverging=diverging), Timing(sample_s=0.5), Counters(1, 2))
"""
"""A backend in the syntax of Python 3.6 that gives back the data as draws."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return travel.pack(tmp_path_factory.mktemp("travel") / "worker.pyz")


@pytest.fixture(scope="module", params=reversed(interpreters.RELEASED))
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter of each version, with NumPy and nothing else."""
    found = interpreters.find(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")  # old ones are not everywhere
    folder = tmp_path_factory.mktemp("bare")
    python = folder / "bin" / "python"
    packages = OLD_NUMPY.get(request.param, ("numpy",))
    for command in (
        ("venv", "--clear", "--python", found.path, folder),
        ("pip", "install", "--python", python, *packages),
    ):
        # Our own configuration compiles bytecode, which uv can't do for Python 3.6.
        done = run(uv.find_uv_bin(), "--no-config", *command)
        assert done.returncode == 0, done.stderr
    return python


def job(backend: str) -> Job:
    case = Case("close", MODELS["ordered"], backend, "nuts", NutsSettings(chains=2, draws=20))
    x = datasets.load("close").x
    return Job(case, x, np.zeros((2, 2)), np.linspace(-1.0, 1.0, 8).reshape(4, 2))


def work(python: Path | str, worker: Path, work: Job, folder: Path, **variables: str) -> int:
    write_job(folder / "job", work)
    command = [str(python), str(worker), str(folder / "job"), str(folder / "record")]
    measured = environment.measured(folder)
    # Only what a test asks for: neither the checkout nor an installed package may help.
    variables = {"PYTHONPATH": "", PARENT_VARIABLE: str(os.getpid()), **variables}
    done = subprocess.run(command, env={**measured, **variables}, cwd=folder, check=False)
    return done.returncode


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "gives_back.py").write_text(BACKEND)
    return str(tmp_path / "modules")


def check_everything(python: Path | str, worker: Path, planted: str, folder: Path) -> None:
    wanted = job("gives_back")
    assert work(python, worker, wanted, folder, PYTHONPATH=planted) == 0
    run = read_record(folder / "record")
    assert isinstance(run, Run), run
    assert run.case == wanted.case
    means = np.resize(wanted.x, (2, 20, 2))
    np.testing.assert_array_equal(run.result.means, means)
    np.testing.assert_array_equal(run.result.diverging, means[..., 0] > 0)
    np.testing.assert_array_equal(run.density.gradients, wanted.points / 3)

    assert work(python, worker, job("pymc3"), folder) == 0
    failure = read_record(folder / "record")
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.case.backend) == ("missing", "pymc3")
    assert failure.message.startswith("No module named 'pymc3'; to install it: ")


def test_the_worker_runs_from_one_file(worker, planted, tmp_path):
    check_everything(sys.executable, worker, planted, tmp_path)


@pytest.mark.slow
def test_the_worker_runs_in_every_interpreter(bare, worker, planted, tmp_path):
    check_everything(bare, worker, planted, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asked of Linux alone")
def test_the_worker_dies_with_its_parent_in_every_interpreter(bare, worker, tmp_path):
    gone = {PARENT_VARIABLE: str(os.getppid())}  # the worker's parent is this process, not that
    killed = 128 + signal.SIGKILL
    assert work(bare, worker, job("pymc3"), tmp_path, **gone) == killed
    assert not (tmp_path / "record.json").exists()


def test_wrong_use_and_a_bad_job_are_told(worker, tmp_path):
    command = [sys.executable, str(worker)]
    done = run(*command)
    assert done.returncode == USAGE
    nothing = [str(tmp_path / "job"), str(tmp_path / "record")]
    done = run(*command, *nothing)
    assert done.returncode == BAD_JOB
    assert done.stderr.endswith("job.json is damaged: No such file or directory\n")


def test_only_the_measured_side_travels(worker):
    names = ZipFile(worker).namelist()
    assert names == sorted(names)  # not in the order of a set: the bytes are to be the same
    assert {"__main__.py", "gmixbench/record.py", "gmixbench/measured/worker.py"} <= set(names)
    rooms = {name.split("/")[1] for name in names if "/" in name}
    assert rooms == {"__init__.py", "spec.py", "record.py", "disk.py", "measured"}


def test_the_same_sources_give_the_same_bytes(worker, tmp_path, monkeypatch):
    before = os.umask(0o077)
    try:
        again = travel.pack(tmp_path / "deep" / "again.pyz")
    finally:
        os.umask(before)
    assert again.read_bytes() == worker.read_bytes()
    assert sha256(again.read_bytes()).hexdigest() == travel.digest()
    monkeypatch.setattr(travel, "MAIN", travel.MAIN + b"\n")
    assert travel.pack(tmp_path / "other.pyz").read_bytes() != worker.read_bytes()


def test_the_worker_sees_the_zip_before_any_other_copy(worker, planted, tmp_path):
    fake = tmp_path / "modules" / "gmixbench"
    fake.mkdir()
    (fake / "__init__.py").write_text("raise RuntimeError")
    wanted = replace(job("gives_back"), starts=np.ones((2, 2)))
    assert work(sys.executable, worker, wanted, tmp_path, PYTHONPATH=planted) == 0
    assert isinstance(read_record(tmp_path / "record"), Run)

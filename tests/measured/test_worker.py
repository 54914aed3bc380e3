"""The worker as the lab starts it: one process, one job, one record."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from gmixbench.disk import has_record, read_record, write_job
from gmixbench.measured import worker
from gmixbench.measured.backends import install_of
from gmixbench.measured.protocol import NOT_WRITTEN
from gmixbench.record import Failure, Job, Run

PLANTED = """
    import numpy as np
    from gmixbench.record import Counters, Density, Draws, Fit, Measured, Timing

    PACKAGES = ("pytest", "no-such-package")

    def build(job):
        return job

    def density(model, points):
        return Density(points, np.zeros(len(points)), np.zeros((len(points), 2)))

    def sample(model, job):
        means = np.full((2, 3, 2), np.nan, dtype=np.float32)
        return Measured(Draws(means), Timing(sample_s=0.5), Counters(), ("planted",))

    def fit_advi(model, job):
        fit = Fit(np.full(3, np.inf), np.zeros(2), np.eye(2), np.zeros((3, 2)))
        return Measured(fit, Timing(fit_s=0.25), Counters())
"""
"""A backend whose draws are float32 and NaN, and whose loss is infinite."""


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[str], None]:
    """Put a module named `planted` where the worker finds it."""

    def write(source: str) -> None:
        (tmp_path / "planted.py").write_text(dedent(source))

    return write


def command(tmp_path: Path) -> list[str]:
    module = "gmixbench.measured.worker"
    return [sys.executable, "-m", module, str(tmp_path / "job"), str(tmp_path / "record")]


def work(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), **variables}
    return subprocess.run(
        command(tmp_path), env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def failed(tmp_path: Path) -> Failure:
    assert work(tmp_path).returncode == 0
    record = read_record(tmp_path / "record")
    assert isinstance(record, Failure)
    return record


def test_a_run_is_recorded_as_it_is(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant(PLANTED)
    job = make_job("planted", draws=3)
    write_job(tmp_path / "job", job)
    assert work(tmp_path, OMP_NUM_THREADS="1").returncode == 0
    run = read_record(tmp_path / "record")
    assert isinstance(run, Run)
    assert run.case == job.case
    assert run.result.means.dtype == np.float32
    assert np.isnan(run.result.means).all()
    assert run.shims == ("planted",)
    np.testing.assert_array_equal(run.density.points, job.points)


def test_a_run_says_what_it_cost_and_where(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant(PLANTED)
    write_job(tmp_path / "job", make_job("planted", method="advi-matched", draws=3))
    assert work(tmp_path, OMP_NUM_THREADS="1").returncode == 0
    run = read_record(tmp_path / "record")
    assert isinstance(run, Run)
    timing = run.timing
    assert timing.fit_s == 0.25
    assert timing.import_s + timing.build_s <= timing.total_s
    assert timing.cpu_s > 0
    # NumPy alone takes 20 MB; the test's own process, which has imported far more, is left out.
    assert 20e6 < timing.peak_memory < 150e6
    found = run.environment
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"implementation", "platform", "machine", "cpu", "numpy", "pytest"} <= found.keys()
    assert found["OMP_NUM_THREADS"] == "1"
    assert "no-such-package" not in found


def test_an_exception_becomes_a_failure(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant(PLANTED + "\n    def sample(model, job):\n        raise ValueError('two\\n  lines')\n")
    write_job(tmp_path / "job", make_job("planted", draws=3))
    failure = failed(tmp_path)
    assert failure.kind == "exception"
    assert failure.message == "ValueError: two lines"
    assert failure.detail.startswith("Traceback")


@pytest.mark.parametrize(
    ("known", "likelihood", "method", "words"),
    [
        ("", "logsumexp", "nuts", "planted has no logsumexp likelihood: choose from mixture"),
        (
            "LIKELIHOODS = ('mixture', 'discrete')",
            "enumerated",
            "nuts",
            "planted has no enumerated likelihood: choose from mixture, discrete",
        ),
        (
            "LIKELIHOODS = ('discrete',)",
            "discrete",
            "advi-matched",
            "no normal fits discrete labels: --method nuts",
        ),
    ],
)
def test_a_likelihood_that_a_backend_has_not_becomes_a_failure(
    tmp_path: Path,
    plant: Callable[[str], None],
    make_job: Callable[..., Job],
    known: str,
    likelihood: str,
    method: str,
    words: str,
) -> None:
    plant(f"{PLANTED}\n    {known}\n")
    write_job(tmp_path / "job", make_job("planted", method=method, likelihood=likelihood, draws=3))
    failure = failed(tmp_path)
    assert failure.kind == "exception"
    assert failure.message == f"NotImplementedError: {words}"


def test_sampled_labels_leave_no_density(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant(f"{PLANTED}\n    LIKELIHOODS = ('discrete',)\n")
    write_job(tmp_path / "job", make_job("planted", likelihood="discrete", draws=3))
    assert work(tmp_path).returncode == 0
    run = read_record(tmp_path / "record")
    assert isinstance(run, Run)
    assert run.density is None


@pytest.mark.parametrize(
    ("backend", "given", "wanted"),
    [
        (
            "numpyro",
            {"likelihood": "enumerated"},
            "pip install 'gmixbench[numpyro]' && pip install 'gmixbench[enumerated]'",
        ),
        (
            "pymc-c",
            {"method": "pathfinder"},
            "pip install 'gmixbench[pymc]' && pip install pymc-extras",
        ),
        (
            "pymc-blackjax",
            {"method": "pathfinder"},
            "pip install 'gmixbench[pymc,blackjax]'",
        ),
    ],
)
def test_what_installs_a_case_can_be_pasted(
    make_job: Callable[..., Job], backend: str, given: dict[str, str], wanted: str
) -> None:
    assert install_of(make_job(backend, **given).case) == wanted


def test_a_missing_library_becomes_a_failure_with_the_command(
    tmp_path: Path, make_job: Callable[..., Job]
) -> None:
    (tmp_path / "pymc.py").write_text("raise ModuleNotFoundError(\"No module named 'pymc'\")\n")
    write_job(tmp_path / "job", make_job("pymc"))
    failure = failed(tmp_path)
    assert failure.kind == "missing"
    assert failure.message == (
        "No module named 'pymc'; to install it: pip install 'gmixbench[pymc]'"
    )


def test_an_unknown_backend_becomes_a_failure(tmp_path: Path, make_job: Callable[..., Job]) -> None:
    write_job(tmp_path / "job", make_job("no_such_module"))
    failure = failed(tmp_path)
    assert failure.kind == "missing"
    assert failure.message == "No module named 'no_such_module'"


def test_a_library_that_breaks_on_import_is_not_missing(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant("from math import no_such_name")
    write_job(tmp_path / "job", make_job("planted", draws=3))
    failure = failed(tmp_path)
    assert failure.kind == "exception"
    assert failure.message.startswith("ImportError: cannot import name 'no_such_name'")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_the_worker_runs_on_the_core_it_is_given(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    check = "\n    import os\n    assert len(os.sched_getaffinity(0)) == 1\n"
    plant(PLANTED + check)
    write_job(tmp_path / "job", make_job("planted", draws=3))
    core = str(max(os.sched_getaffinity(0)))
    assert work(tmp_path, GMIXBENCH_CORE=core).returncode == 0
    assert isinstance(read_record(tmp_path / "record"), Run)


def test_a_truncated_job_is_named(tmp_path: Path, make_job: Callable[..., Job]) -> None:
    write_job(tmp_path / "job", make_job("planted", draws=3))
    arrays = tmp_path / "job.npz"
    arrays.write_bytes(arrays.read_bytes()[:100])
    done = work(tmp_path)
    assert done.returncode == worker.BAD_JOB
    assert str(arrays) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not has_record(tmp_path / "record")


def test_a_record_that_can_t_be_written_is_told(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    plant(PLANTED)
    write_job(tmp_path / "job", make_job("planted", draws=3))
    (tmp_path / "record.json").mkdir()
    done = work(tmp_path)
    assert done.returncode == NOT_WRITTEN
    assert "record.json" in done.stderr


def test_wrong_arguments_are_told() -> None:
    assert worker.main([]) == worker.USAGE


def test_killed_while_sampling_leaves_no_record_and_can_run_again(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    write_job(tmp_path / "job", make_job("planted", draws=3))
    wait = """
    def sample(model, job):
        import pathlib, time
        pathlib.Path(__file__).with_name("sampling").touch()
        time.sleep(60)
    """
    plant(PLANTED + wait)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command(tmp_path), env=environment) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "sampling").exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not has_record(tmp_path / "record")
    plant(PLANTED)
    assert work(tmp_path).returncode == 0
    assert isinstance(read_record(tmp_path / "record"), Run)


def test_killed_while_writing_leaves_the_record_whole_or_absent(
    tmp_path: Path, plant: Callable[[str], None], make_job: Callable[..., Job]
) -> None:
    write_job(tmp_path / "job", make_job("planted", draws=3))
    # Dies after the arrays have been renamed into place, before the JSON is.
    die = """
    import os, signal
    replace = os.replace
    def die_at_json(source, target):
        if str(target).endswith("record.json"):
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
    os.replace = die_at_json
    """
    plant(PLANTED + die)
    assert work(tmp_path).returncode == -signal.SIGKILL
    assert (tmp_path / "record.npz").exists()
    assert not has_record(tmp_path / "record")

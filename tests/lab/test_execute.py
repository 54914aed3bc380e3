"""Each case in a process of its own: whatever happens there, the run goes on."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gmixbench.disk import read_record, write_job
from gmixbench.lab import environment, store
from gmixbench.lab.execute import Worker, execute, job, run_case
from gmixbench.measured.protocol import PARENT_VARIABLE
from gmixbench.record import Draws, Failure, Fit, Run

LONG = 60.0


def number_in(path, within=30.0):
    until = time.monotonic() + within
    while not (path.exists() and path.read_text().endswith("\n")) and time.monotonic() < until:
        time.sleep(0.02)
    return int(path.read_text())


@pytest.fixture
def run(exact, tmp_path):
    """Run cases in a folder, and give their records."""

    def work(*cases, timeout=LONG, **options):
        out = tmp_path / "out"
        finished = execute(cases, {"overlapping": exact}, out, timeout=timeout, **options)
        return [done.record for done in finished]

    return work


@pytest.fixture
def fail(run, plant, make_case):
    """Run a backend whose sampling is `source`, and give the failure it leaves."""

    def work(source, **options):
        indented = source.replace("\n", "\n    ")
        backend = plant("faulty", f"def sample(model, job):\n    {indented}\n")
        (failure,) = run(make_case(backend), **options)
        assert isinstance(failure, Failure)
        return failure

    return work


def test_each_case_leaves_its_record_and_nothing_else(run, plant, make_case, tmp_path):
    cases = [make_case(plant("quick"), method=method) for method in ("nuts", "advi-matched")]
    draws, fit = run(*cases)
    assert isinstance(draws, Run)
    assert isinstance(draws.result, Draws)
    assert isinstance(fit.result, Fit)
    assert [draws.case, fit.case] == cases
    stems = {store.stem(tmp_path / "out", case).name for case in cases}
    left = {path.name for path in (tmp_path / "out" / "runs").iterdir()}
    assert left == {f"{stem}{suffix}" for stem in stems for suffix in (".json", ".npz")}


def test_the_oracle_runs_as_a_backend(run, make_case):
    (record,) = run(make_case("exact"))
    assert isinstance(record, Run)
    assert record.environment["scipy"]


def test_a_case_that_raises_is_a_failure_and_the_next_one_runs(run, plant, make_case):
    raises = plant("raises", "def sample(model, job):\n    raise ValueError('no such thing')")
    first, second = run(make_case(raises), make_case(plant("quick")))
    assert first.kind == "exception"
    assert first.message == "ValueError: no such thing"
    assert "Traceback" in first.detail
    assert isinstance(second, Run)


def test_a_failure_is_on_disk(fail, tmp_path):
    failure = fail("raise ValueError('no such thing')")
    assert read_record(store.stem(tmp_path / "out", failure.case)) == failure


def test_a_result_of_another_shape_is_a_failure(fail):
    failure = fail("return Measured(Draws(np.zeros((5, 2))), Timing(), Counters())")
    assert failure.kind == "exception"
    assert "means: numbers of shape (5, 2, 2) are wanted, not float64 of shape (5, 2)" in (
        failure.message
    )


def test_a_missing_library_is_a_failure_that_names_the_command(run, plant, make_case, tmp_path):
    plant("any")
    stub = tmp_path / "modules" / "pymc.py"
    stub.write_text("raise ModuleNotFoundError(\"No module named 'pymc'\", name='pymc')")
    (failure,) = run(make_case("pymc"))
    assert failure.kind == "missing"
    assert failure.message.endswith("to install it: pip install 'gmixbench[pymc]'")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("import os; os._exit(0)", "exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
def test_a_crash_is_a_failure_that_says_how(source, name, fail):
    failure = fail(f"import sys; print('last words', file=sys.stderr, flush=True)\n{source}")
    assert failure.kind == "crash"
    assert failure.message == f"the worker ended with {name} and left no record: last words"
    assert failure.detail == "last words\n"


def test_a_crash_without_words(fail):
    failure = fail("import os; os._exit(3)")
    assert failure.message == "the worker ended with exit code 3 and left no record"


CHILD = """import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
pathlib.Path({path!r}).write_text(f'{{child.pid}}\\n')
"""


def test_a_time_out_ends_the_worker_and_all_it_has_started(fail, gone, tmp_path):
    begun = time.monotonic()
    source = CHILD.format(path=str(tmp_path / "child")) + "time.sleep(60)"
    failure = fail(source, timeout=2.5)
    assert time.monotonic() - begun < 20
    assert failure.kind == "time-out"
    assert failure.message == "not done after 2.5 s"
    assert gone(number_in(tmp_path / "child"))


def test_a_crash_ends_all_that_the_worker_has_started(fail, gone, tmp_path):
    fail(CHILD.format(path=str(tmp_path / "child")) + "import os; os._exit(1)")
    assert gone(number_in(tmp_path / "child"))


def test_ctrl_c_ends_the_worker_and_leaves_no_record(fail, gone, tmp_path):
    pid = tmp_path / "pid"

    def interrupt(_):
        if pid.exists():
            raise KeyboardInterrupt

    told = f"pathlib.Path({str(pid)!r}).write_text(f'{{os.getpid()}}\\n')"
    with pytest.raises(KeyboardInterrupt):
        fail(f"import os, pathlib, time\n{told}\ntime.sleep(60)", watch=interrupt)
    assert gone(number_in(pid))
    assert list((tmp_path / "out" / "runs").iterdir()) == []


FULL = """
import os

def full(_):
    raise OSError(28, "No space left on device")

os.fsync = full
"""


def test_a_disk_that_is_full_for_the_worker_stops_the_run(run, plant, make_case, tmp_path):
    with pytest.raises(OSError, match="No space left on device"):
        run(make_case(plant("full", FULL)))
    assert list((tmp_path / "out" / "runs").iterdir()) == []


PARENT = """
import os, subprocess, sys, time
variable, *stems = sys.argv[1:]
worker = [sys.executable, "-m", "gmixbench.measured.worker", *stems]
subprocess.Popen(worker, env={**os.environ, variable: str(os.getpid())})
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
def test_a_worker_dies_with_the_process_that_started_it(plant, make_case, exact, gone, tmp_path):
    pid = tmp_path / "pid"
    source = f"""
    def sample(model, job):
        import os, pathlib, time
        pathlib.Path({str(pid)!r}).write_text(f"{{os.getpid()}}\\n")
        time.sleep(60)
    """
    write_job(tmp_path / "job", job(make_case(plant("endless", source)), exact))
    stems = str(tmp_path / "job"), str(tmp_path / "record")
    command = [sys.executable, "-c", PARENT, PARENT_VARIABLE, *stems]
    with subprocess.Popen(command, start_new_session=True) as parent:
        worker = number_in(pid)
        assert not gone(worker, within=0)
        parent.kill()
    assert gone(worker)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
def test_a_worker_whose_parent_is_dead_already_does_not_begin(plant, make_case, exact, tmp_path):
    write_job(tmp_path / "job", job(make_case(plant("quick")), exact))
    command = [sys.executable, "-m", "gmixbench.measured.worker", tmp_path / "job", tmp_path / "x"]
    done = subprocess.run(
        command, env={**os.environ, PARENT_VARIABLE: "1"}, check=False, timeout=LONG
    )
    assert done.returncode == 128 + signal.SIGKILL
    assert not (tmp_path / "x.json").exists()


def test_the_worker_is_told_to_use_one_core_and_float64(fail):
    told = "XLA_FLAGS JAX_ENABLE_X64 JAX_PLATFORMS PYTENSOR_FLAGS NUMBA_CACHE_DIR OMP_NUM_THREADS"
    source = f"import os\nraise ValueError([os.environ[name] for name in {told.split()!r}])"
    detail = fail(source).detail  # the message is cut where the folder's path is long
    for word in ("multi_thread_eigen=false", "'1'", "'cpu'", "floatX=float64", "numba"):
        assert word in detail


def test_each_worker_has_empty_caches_of_its_own(tmp_path):
    one, two = (environment.measured(tmp_path / name) for name in ("one", "two"))
    differ = {name for name in one if one[name] != two[name]}
    assert differ == {
        "THEANO_FLAGS",
        "AESARA_FLAGS",
        "PYTENSOR_FLAGS",
        "NUMBA_CACHE_DIR",
        "MPLCONFIGDIR",
    }


def test_a_job_carries_data_starts_and_points(exact, make_case):
    case = make_case("pymc", model="unordered")
    work = job(case, exact)
    assert work.case == case
    np.testing.assert_array_equal(work.x, exact.x)
    assert work.starts.shape == (2, 2)
    assert work.points.shape == (50, 2)
    assert job(make_case("pymc", method="advi-matched"), exact).starts.shape == (1, 2)


FAULTS = {
    "not evaluated at the job's points": """
    def density(model, points):
        return Density(points[:1], np.zeros(1), np.zeros((1, 2)))
    """,
    "means of shape": """
    def sample(model, job):
        return Measured(Draws(np.zeros((2, 7, 2))), Timing(sample_s=1.0), Counters())
    """,
    "time can't be negative": """
    right = sample

    def sample(model, job):
        return right(model, job)._replace(timing=Timing(sample_s=-4.0))
    """,
}


@pytest.mark.parametrize("words", FAULTS)
def test_a_backend_does_not_choose_what_it_is_judged_by(plant, make_case, exact, tmp_path, words):
    work = job(make_case(plant("evasive", FAULTS[words])), exact)
    failed = run_case(work, tmp_path / "out", timeout=LONG)
    assert isinstance(failed, Failure)
    assert words in failed.message


def test_an_interpreter_that_is_gone_is_a_failure(exact, make_case, tmp_path):
    worker = Worker((str(tmp_path / "python"), "worker.pyz"))
    record = run_case(job(make_case(), exact), tmp_path, timeout=5, worker=worker)
    assert record.kind == "crash"
    assert record.message == f"{tmp_path / 'python'} is not there any more"

"""Shims of PyMC and NumPyro, each in a stack that needs it: with it, and what happens without."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import gmixbench
from gmixbench.disk import read_record, write_job
from gmixbench.record import Failure, Fit, Job, Record, Run
from gmixbench.ruler.verdict import judge
from gmixbench.truth.solve import solve

pytestmark = pytest.mark.stacks

MakeJob = Callable[..., Job]
StackPython = Callable[[str], Path]

WORKER = "import sys; from gmixbench.measured import worker; sys.exit(worker.main(sys.argv[1:]))"

WITHOUT_PYMC = """
from gmixbench.measured.backends import shims_pymc
assert shims_pymc.NEEDED[{0!r}]
shims_pymc.NEEDED[{0!r}] = False
"""

WITHOUT_KERNEL_SETUP = """
from gmixbench.measured.backends import numpyro
assert numpyro._OLD_KERNEL
numpyro._OLD_KERNEL = False
"""

WITHOUT_NO_TRIP_COUNTS = """
import os
from gmixbench.measured.backends import numpyro
assert numpyro._COUNTED_TRIPS
del os.environ["XLA_FLAGS"]
"""

LIBRARY_S_OWN_CONSTANTS = """
import numpy
array = numpy.array
def plain(value, *given, **named):
    floats = isinstance(value, (list, tuple)) and {type(each) for each in value} == {float}
    return value if floats and not (given or named) else array(value, *given, **named)
numpy.array = plain
"""
"""PyMC's backend makes its constants with `numpy.array`: so they stay Python floats."""


def work(python: Path, folder: Path, job: Job, first: str = "") -> Record:
    """Record of a job run by a stack's interpreter, which executes `first` before it begins."""
    folder.mkdir()
    write_job(folder / "job", job)
    flags = f"floatX=float64,base_compiledir={folder / 'compiled'}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(gmixbench.__file__).parents[1]),
        "AESARA_FLAGS": flags,
        "PYTENSOR_FLAGS": flags,
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
    }
    command = [str(python), "-c", f"{first}\n{WORKER}", str(folder / "job"), str(folder / "record")]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=900)
    return read_record(folder / "record")


@pytest.mark.parametrize(
    ("stack", "shim", "model", "without"),
    [
        ("pymc-v4.2.2", "depth-from-steps", "unordered", "reached_max_treedepth"),
        ("pymc-v5.0.2", "no-other-nuts", "unordered", "nuts_sampler"),
        ("pymc-v5.16.2", "separate-inputs", "unordered", "ravel_inputs"),
        ("numpyro-v0.10.1", "kernel-setup", "ordered", "'NoneType' object is not callable"),
    ],
)
def test_nuts_is_valid_with_the_shim_and_fails_without(
    stack: str,
    shim: str,
    model: str,
    without: str,
    stack_python: StackPython,
    make_job: MakeJob,
    tmp_path: Path,
) -> None:
    python, library = stack_python(stack), stack.partition("-")[0]
    job = make_job(library, model, chains=4, warmup=500, draws=1000, starts="one-mode")
    job = Job(job.case, job.x, np.repeat(job.starts[:1], 4, axis=0), job.points)
    run = work(python, tmp_path / "with", job)
    assert isinstance(run, Run)
    assert shim in run.shims
    verdict = judge(run, solve(job.x, job.case.model)).verdict
    assert verdict.valid, verdict.reasons

    plain = WITHOUT_KERNEL_SETUP if shim == "kernel-setup" else WITHOUT_PYMC.format(shim)
    failure = work(python, tmp_path / "without", job, plain)
    assert isinstance(failure, Failure)
    assert without in failure.message


def test_a_collected_warm_up_of_numpyro_compiles(
    stack_python: StackPython, make_job: MakeJob, tmp_path: Path
) -> None:
    python = stack_python("numpyro-v0.15.3")
    job = make_job("numpyro", "ordered")
    run = work(python, tmp_path / "with", job)
    assert isinstance(run, Run)
    assert run.shims == ("no-trip-counts",)
    with pytest.raises(subprocess.CalledProcessError) as ended:
        work(python, tmp_path / "without", job, WITHOUT_NO_TRIP_COUNTS)
    assert b"Mismatched backend config descriptors" in ended.value.stderr


def test_pymc_s_advi_begins_at_the_initial_scale(
    stack_python: StackPython, make_job: MakeJob, tmp_path: Path
) -> None:
    python = stack_python("pymc-v4.1.7")
    counts = {"steps": 2, "learning_rate": 1e-6, "initial_scale": 0.25}
    job = make_job("pymc", "unordered", "advi-matched", **counts)
    run = work(python, tmp_path / "with", job)
    assert isinstance(run, Run)
    assert "initial-scale" in run.shims
    assert isinstance(run.result, Fit)
    np.testing.assert_allclose(run.result.scale, 0.25, atol=1e-5)
    plain = work(python, tmp_path / "without", job, WITHOUT_PYMC.format("initial-scale"))
    assert isinstance(plain, Run)
    assert isinstance(plain.result, Fit)
    # It takes `start_sigma`, and does not heed it.
    np.testing.assert_allclose(plain.result.scale, np.log(2), atol=1e-5)


def test_pymc_counts_the_jacobian_twice_where_it_has_no_other_ordering(
    stack_python: StackPython, make_job: MakeJob, tmp_path: Path
) -> None:
    # The shim makes the model run; that the release is wrong stays to be seen.
    python = stack_python("pymc-v5.6.1")
    job = make_job("pymc", "ordered", "advi-library", steps=2)
    run = work(python, tmp_path / "with", job)
    assert isinstance(run, Run)
    assert "univariate-ordered" in run.shims
    truth = solve(job.x, job.case.model)
    verdict = judge(run, truth).verdict
    assert not verdict.valid
    assert "density" in verdict.reasons[0]
    failure = work(python, tmp_path / "without", job, WITHOUT_PYMC.format("univariate-ordered"))
    assert isinstance(failure, Failure)
    assert "ordered" in failure.message


def test_pymc_s_density_is_right_with_float64_constants_alone(
    stack_python: StackPython, make_job: MakeJob, tmp_path: Path
) -> None:
    python = stack_python("pymc-v6.4.0")
    job = make_job("pymc", "unordered", "advi-library", steps=2)
    truth = solve(job.x, job.case.model)
    errors = []  # logarithms of constants: they shift the density as a whole
    for folder, first in (("with", ""), ("without", LIBRARY_S_OWN_CONSTANTS)):
        run = work(python, tmp_path / folder, job, first)
        assert isinstance(run, Run)
        errors.append(judge(run, truth).scores.metrics["density_constant"])
    assert errors[0] < 1e-10 < errors[1]

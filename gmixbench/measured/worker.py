"""One job in, one record out: `python -m gmixbench.measured.worker JOB_STEM RECORD_STEM`.

Runs in the measured environment, in a fresh process. Whatever goes wrong in there becomes a
`Failure` on disk, so exit code 0 means that a record was written. The density is evaluated
last, so that it neither warms up what is measured nor adds to it.
"""

import os
import platform
import signal
import sys
import textwrap
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple, Union

import numpy as np

from gmixbench.disk import DamagedRecordError, read_job, write_record
from gmixbench.measured import gradients
from gmixbench.measured.backends import (
    BACKENDS,
    bare_gradient,
    install_of,
    known_likelihoods,
    load,
    work_of,
)
from gmixbench.measured.points import density_at
from gmixbench.measured.protocol import (
    BAD_JOB,
    CORE_VARIABLE,
    NOT_WRITTEN,
    ONE_THREAD,
    PARENT_VARIABLE,
    USAGE,
)
from gmixbench.record import Cost, Failure, Job, Run, Timing
from gmixbench.spec import DISCRETE, GRADIENT, Case, NutsSettings, fit_settings

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # a module, or none

THREAD_VARIABLES = (
    *ONE_THREAD,
    "XLA_FLAGS",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    CORE_VARIABLE,
)
"""Variables that bear on threads, precision and devices: part of a run's environment."""

ENGINES = ("theano", "aesara", "pytensor")
"""Names PyMC's compiling engine has had; what it runs depends on the C++ compiler it finds."""

MESSAGE_WIDTH = 300

PR_SET_PDEATHSIG = 1
"""Linux's number in <sys/prctl.h>."""


def measure(job: Job) -> Run:
    """Import the library, build the model, sample or fit, and evaluate the density.

    Where labels are sampled there is no density to evaluate.

    Raises
    ------
    Exception
        Whatever the library raises.
    """
    begun = time.perf_counter()
    _pin_to_core()
    backend = load(job.case.backend)
    _refuse_unknown(job.case, known_likelihoods(backend))
    work = work_of(backend, job.case)
    imported = time.perf_counter()
    model = backend.build(job)
    built = time.perf_counter()
    measured = work(model, job)
    # What follows is ours, so the clocks are read before it.
    timing = replace(
        measured.timing,
        import_s=imported - begun,
        build_s=built - imported,
        total_s=time.perf_counter() - begun,
        cpu_s=_cpu_seconds(),
        peak_memory=_peak_memory(),
    )
    if job.case.method == "nuts":
        timing = replace(timing, gradient_s=bare_gradient(backend, model, job.starts[0]))
    density = None if job.case.likelihood == DISCRETE else backend.density(model, job.points)
    run = Run(
        case=job.case,
        timing=timing,
        counters=measured.counters,
        density=density,
        result=measured.result,
        environment=environment(backend.PACKAGES),
        shims=measured.shims,
    )
    _hold_to_job(job, run)
    return run


def measure_gradient(job: Job) -> Cost:
    """Import the library, build and compile the model's gradient, and time calls of it.

    What is held against the written density is the function that was timed.

    Raises
    ------
    Exception
        Whatever the library raises.
    """
    begun = time.perf_counter()
    _pin_to_core()
    backend = load(job.case.backend)
    _refuse_unknown(job.case, known_likelihoods(backend))
    imported = time.perf_counter()
    resident = gradients.resident()
    model = backend.build(job)
    built = time.perf_counter()
    evaluate = backend.evaluator(model)
    compiled = time.perf_counter()
    peak_built = _peak_memory()
    apart = gradients.forget_peak()
    wall, cpu = gradients.timed(evaluate, job.starts[0], job.case.settings)
    peak = gradients.high_water_mark() if apart else None
    density = density_at(evaluate, job.points)
    return Cost(
        case=job.case,
        timing=Timing(
            import_s=imported - begun,
            build_s=built - imported,
            compile_s=compiled - built,
            total_s=time.perf_counter() - begun,
            cpu_s=_cpu_seconds(),
            peak_memory=max(peak_built or 0, _peak_memory() or 0) or None,
        ),
        call_s=wall,
        call_cpu_s=cpu,
        resident=resident,
        peak_gradient=peak,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        density=density,
        environment=environment(backend.PACKAGES),
    )


def _refuse_unknown(case: Case, known: Sequence[str]) -> None:
    if case.likelihood not in known:
        told = "{} has no {} likelihood: choose from {}"
        raise NotImplementedError(told.format(case.backend, case.likelihood, ", ".join(known)))
    if case.likelihood == DISCRETE and case.method != "nuts":
        raise NotImplementedError("no normal fits discrete labels: --method nuts")
    if case.model.spread is not None and case.method not in ("nuts", GRADIENT):
        told = "a fit of {} can't be judged: no exact loss is known of it: --method nuts"
        raise NotImplementedError(told.format(case.model.name))


def _hold_to_job(job: Job, run: Run) -> None:
    # A backend is anyone's code: it must not choose where or how much it is judged by.
    if run.density is not None and not np.array_equal(run.density.points, job.points):
        raise ValueError("the density was not evaluated at the job's points")
    settings, shape = fit_settings(job.case), run.result.means.shape
    wanted = (settings.draws, 2)  # type: Tuple[int, ...]
    if isinstance(settings, NutsSettings):
        wanted = (settings.chains, settings.draws, 2)
    if shape != wanted:
        raise ValueError("means of shape {} are wanted, not {}".format(wanted, shape))
    for name, value in asdict(run.timing).items():
        if value is not None and not value >= 0:
            raise ValueError("{} is {}: time can't be negative".format(name, value))


def failure(case: Case, error: Exception) -> Failure:
    """Record of an exception: one line, and the traceback as its detail."""
    detail = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    kind, text = "exception", "{}: {}".format(type(error).__name__, error)
    if isinstance(error, ModuleNotFoundError):
        kind, text = "missing", str(error)
        if case.backend in BACKENDS:
            text += "; to install it: " + install_of(case)
    return Failure(case, kind, textwrap.shorten(text, MESSAGE_WIDTH), detail)


def environment(packages: Tuple[str, ...]) -> Dict[str, str]:
    """Names and versions of what was measured in, and its thread settings; absent ones left out."""
    found = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
    }
    for package in ("numpy", *packages):
        version = _version(package)
        if version is not None:
            found[package] = version
    found.update({name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ})
    for engine in ENGINES:
        if engine in sys.modules:
            found[engine + ".config.cxx"] = str(sys.modules[engine].config.cxx)
    return found


def _die_with_parent() -> None:
    # A lab that is killed can't end its worker, which would slow what is measured next.
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it was killed before we asked
            sys.exit(128 + signal.SIGKILL)


def _pin_to_core() -> None:
    core = os.environ.get(CORE_VARIABLE)
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})


def _cpu_seconds() -> Optional[float]:
    """CPU seconds of this process and the children it has waited for, from their start."""
    if resource is None:
        return None
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_memory() -> Optional[int]:
    """Most bytes resident at once in the largest process: this one, or a compiler it started."""
    if resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    own = gradients.high_water_mark()
    if own is None:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    # A child's figure starts from what its parent had when it was started: no more than `own`.
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _version(package: str) -> Optional[str]:
    try:
        from importlib import metadata
    except ImportError:  # Python 3.7 and older
        try:
            import pkg_resources  # type: ignore[import-not-found]  # of setuptools, if that is there
        except ImportError:
            return None
        try:
            return str(pkg_resources.get_distribution(package).version)
        except pkg_resources.DistributionNotFound:
            return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def main(arguments: Sequence[str]) -> int:
    """Run the worker; the exit code is 0 when a record was written."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m gmixbench.measured.worker JOB_STEM RECORD_STEM\n")
        return USAGE
    _die_with_parent()
    job_stem, record_stem = (Path(argument) for argument in arguments)
    try:
        job = read_job(job_stem)
    except DamagedRecordError as error:
        sys.stderr.write("{}\n".format(error))
        return BAD_JOB
    try:
        work = measure_gradient if job.case.method == GRADIENT else measure
        record: Union[Run, Cost, Failure] = work(job)
    except Exception as error:  # noqa: BLE001  # a library may raise anything; the run goes on
        record = failure(job.case, error)
    try:
        write_record(record_stem, record)
    except OSError as error:
        sys.stderr.write("{}\n".format(error))
        return NOT_WRITTEN
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

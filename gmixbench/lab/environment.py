"""The environment that cases are measured in: versions, machine, and what is pinned."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gmixbench.lab.identity import identity
from gmixbench.measured.protocol import CORE_VARIABLE, ONE_THREAD, PARENT_VARIABLE

PACKAGES = (
    "gmixbench",
    "numpy",
    "scipy",
    "arviz-stats",
    "pymc",
    "pytensor",
    "numba",
    "numpyro",
    "jax",
    "jaxlib",
)


ENGINES = ("theano", "aesara", "pytensor")
"""Names that PyMC's engine has had: the first up to PyMC3, the second in PyMC 4."""


def describe() -> dict[str, str]:
    """Versions of Python and the packages that are installed, and the machine.

    `machine_id` is the same on the same machine, and left out where nothing tells which it is.
    """
    found = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
    }
    which = identity()
    if which is not None:
        found["machine_id"] = which
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def measured(scratch: Path) -> dict[str, str]:
    """Environment variables of a worker: one core, one thread, float64, its own compilation caches.

    Parameters
    ----------
    scratch : folder where its library keeps what it compiles; empty ones make it compile anew
    """
    variables = dict(os.environ)
    variables.update(dict.fromkeys(ONE_THREAD, "1"))
    variables.update(
        JAX_ENABLE_X64="1",
        JAX_PLATFORMS="cpu",
        XLA_FLAGS="--xla_cpu_multi_thread_eigen=false",
        **{
            f"{engine.upper()}_FLAGS": f"floatX=float64,base_compiledir={scratch / engine}"
            for engine in ENGINES
        },
        # Its user's own settings would be measured with it.
        **{f"{engine.upper()}RC": os.devnull for engine in ENGINES},
        NUMBA_CACHE_DIR=str(scratch / "numba"),
        MPLCONFIGDIR=str(scratch / "matplotlib"),
        PYTHONHASHSEED="0",
    )
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_DISABLE_JIT", "NUMBA_DISABLE_JIT"):
        variables.pop(name, None)
    variables[PARENT_VARIABLE] = str(os.getpid())
    core = _core()
    if core is not None:
        variables[CORE_VARIABLE] = str(core)
    return variables


def _core() -> int | None:
    # The last one: the first is where most systems handle interrupts.
    if not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()

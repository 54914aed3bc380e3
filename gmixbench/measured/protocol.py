"""What a worker and the lab that starts it have agreed on."""

CORE_VARIABLE = "GMIXBENCH_CORE"
"""Environment variable with the number of the one core to run on, if any."""

PARENT_VARIABLE = "GMIXBENCH_PARENT"
"""Environment variable with the number of the process to die with, if any."""

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Environment variables that are set to 1, so that no library starts threads of its own."""

USAGE, BAD_JOB, NOT_WRITTEN = 2, 65, 74
"""Exit codes when there is no record; the last two are sysexits.h's EX_DATAERR and EX_IOERR."""

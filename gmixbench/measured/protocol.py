"""What a worker and the lab that starts it have agreed on."""

CORE_VARIABLE = "GMIXBENCH_CORE"
"""Environment variable with the number of the one core to run on, if any."""

PARENT_VARIABLE = "GMIXBENCH_PARENT"
"""Environment variable with the number of the process to die with, if any."""

USAGE, BAD_JOB, NOT_WRITTEN = 2, 65, 74
"""Exit codes when there is no record; the last two are sysexits.h's EX_DATAERR and EX_IOERR."""

"""Call uv, and turn what it says when it fails into one clear line."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from gmixbench.lab.stacks import StackError

Say = Callable[[str], None]
"""Told what is going on, one line at a time."""

# They would let the caller's project or environment decide what a stack holds.
_FOREIGN = (
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_BUILD_CONSTRAINT",
    "UV_CONSTRAINT",
    "UV_EXCLUDE_NEWER",
    "UV_EXCLUDE_NEWER_PACKAGE",
    "UV_OVERRIDE",
    "UV_PRERELEASE",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_RESOLUTION",
    "UV_TORCH_BACKEND",
    "UV_WORKING_DIRECTORY",
)

_NETWORK = re.compile(
    r"error sending request|network connectivity is disabled|failed to fetch|"
    r"could not connect|client error \(Connect\)|dns error|timed out|"
    r"network was disabled|can't be downloaded|operation timed out",
    re.IGNORECASE,
)

DISK_FULL = "the disk is full"
NO_FETCH = "a package could not be fetched"


class UvError(StackError):
    """What uv could not do; `may_differ` where another Python might."""

    def __init__(self, message: str, *, may_differ: bool = False) -> None:
        super().__init__(message)
        self.may_differ = may_differ


def find() -> Path:
    """The uv program: of the package `uv`, else on PATH.

    Raises
    ------
    UvError
        There is none.
    """
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if not found:
        raise UvError("uv is not here: `pip install uv`")
    return Path(found)


def version() -> str:
    """Version of uv, such as "0.13.9"."""
    return run(["--version"], what="uv").split()[1]


def find_python(wanted: str) -> Path | None:
    """Where uv knows a Python of that minor version, its own downloads included; or None."""
    try:
        found = run(["python", "find", "--no-project", "--no-python-downloads", wanted], what="uv")
    except UvError:
        return None
    return Path(found.strip())


def dates(cutoff: str, later: Mapping[str, str]) -> list[str]:
    """Options that hold back what came after a date, which is inclusive and in UTC."""
    options = ["--exclude-newer", _end_of(cutoff)]
    for name, day in later.items():
        options += ["--exclude-newer-package", f"{name}={_end_of(day)}"]
    return options


def _end_of(day: str) -> str:
    # The first moment after it, in full: uv reads a plain date in the machine's own time zone.
    return f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00Z"


def run(
    arguments: Sequence[str],
    *,
    what: str,
    folder: Path | None = None,
    keep_open: int | None = None,
    say: Say = lambda _: None,
) -> str:
    """Run uv and give what it prints.

    Parameters
    ----------
    what : name of the stack, for messages
    folder : where it runs; a folder of no project, or that project's settings would have a say
    keep_open : descriptor of a lock file, held for as long as uv lives, even if we are killed
    say : told uv's warnings

    Raises
    ------
    UvError
        uv is not here, or it failed: one line says what, why, and what to do.
    """
    variables = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    variables.update(UV_NO_PROGRESS="1", NO_COLOR="1", UV_PYTHON_DOWNLOADS="never")
    # Builds of old sdists stamp files with it: the same source gives the same wheel.
    variables.setdefault("SOURCE_DATE_EPOCH", "315532800")
    try:
        done = subprocess.run(
            [str(find()), *arguments],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            pass_fds=() if keep_open is None else (keep_open,),
        )
    except OSError as error:
        raise UvError(f"{what}: uv can't be run: {error.strerror}: `pip install uv`") from None
    if done.returncode:
        reason = explain(done.stderr)
        raise UvError(f"{what}: {reason}", may_differ=not reason.startswith((DISK_FULL, NO_FETCH)))
    for line in done.stderr.splitlines():
        if line.startswith("warning:") and "yanked" in line:
            say(f"{what}: {line.removeprefix('warning:').strip()}")
    return done.stdout


def explain(words: str) -> str:
    """One line for what uv said on standard error: what is wrong, and what to do.

    uv has no codes for what went wrong, so its words must do; those that are not known are given
    as they are.
    """
    flat = " ".join(re.sub(r"[│├╰─▶×┌└]+", " ", words).split())
    if re.search(r"no space left on device", flat, re.IGNORECASE):
        return (
            f"{DISK_FULL}: make room (`gmixbench stacks remove`, `uv cache prune`), "
            "or set GMIXBENCH_CACHE and UV_CACHE_DIR to folders on another disk"
        )
    mismatch = re.search(r"hash mismatch for `([^`]+)`", flat, re.IGNORECASE)
    if mismatch:
        return (
            f"the file of {mismatch[1]} does not have the hash that the lock has: check the lock "
            "against its history and the package index you use, or lock it again"
        )
    if _NETWORK.search(flat):
        return (
            f"{NO_FETCH}: check the network, UV_DEFAULT_INDEX and UV_OFFLINE; "
            f"uv said: {_last(flat)}"
        )
    young = re.search(r"hint: `([^`]+)` was filtered by `exclude-newer`", flat)
    if young:
        return (
            f"no release of {young[1]} that would do had come out by the cut-off: give a later "
            f"--cutoff, or --exclude-newer-package {young[1]}=DATE; {_because(flat)}"
        )
    missing = re.search(r"there is no version of (\S+)|(\S+) was not found in", flat)
    if missing:
        name = (missing[1] or missing[2]).strip("`,")
        return f"no index has {name}: the release is missing or was deleted; {_because(flat)}"
    build = re.search(r"failed to build `([^`]+)`", flat, re.IGNORECASE)
    if build:
        return (
            f"{build[1]} could not be built from source: it may need a C compiler or an older "
            f"Python; {_last(flat)}"
        )
    return _last(flat)


def _because(flat: str) -> str:
    found = re.search(r"Because .*?(?= hint: |$)", flat)
    return f"uv said: {_last(found[0] if found else flat)}"


def _last(flat: str) -> str:
    words = re.sub(r"^(error|warning): ", "", flat)
    return words if len(words) <= 300 else "... " + words[-300:]

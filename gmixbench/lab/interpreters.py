"""Find real Python interpreters on this machine: on PATH, in pyenv's folder, or uv's own."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gmixbench.lab import uv

RELEASED = {
    "3.14": "2025-10-07",
    "3.13": "2024-10-07",
    "3.12": "2023-10-02",
    "3.11": "2022-10-24",
    "3.10": "2021-10-04",
    "3.9": "2020-10-05",
    "3.8": "2019-10-14",
    "3.7": "2018-06-27",
    "3.6": "2016-12-23",
}
"""When each Python came out (python.org/downloads); newest first."""

PLACES = ("/usr/local/bin", "/usr/bin")
"""Where interpreters stand besides PATH."""

# An interpreter tells its version and its real path: pyenv's shims, environments and links all
# lead to the same one. Pre-releases, other implementations and free-threaded builds have no wheels.
# `.ci/bootstrap.py` asks the same before anything of ours can be imported.
_PROBE = """
import os, platform, sys, sysconfig
if sys.version_info[3] != "final" or platform.python_implementation() != "CPython":
    sys.exit(1)
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print("%d.%d" % sys.version_info[:2])
print(getattr(sys, "_base_executable", None) or sys.executable)
print(os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs. `headers` tells whether C code can be compiled against it."""

    version: str
    path: Path
    headers: bool


def find(version: str) -> Interpreter | None:
    """An interpreter of that minor version, such as "3.12", that runs; or None."""
    seen = set()
    for path in _candidates(version):
        if path in seen or not os.access(path, os.X_OK):
            continue
        seen.add(path)
        found = probe(path)
        if found and found.version == version:
            return found
    return None


def probe(path: Path) -> Interpreter | None:
    """Run an interpreter and let it tell what it is; None where it can't be run, or is of no use.

    A shim may be there and fail: only running tells.
    """
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [str(path), "-c", _PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=variables,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode or len(lines) != 3:
        return None
    return Interpreter(lines[0], Path(lines[1]), lines[2] == "True")


def how_to_get(version: str) -> str:
    """Advice for a Python that is not here."""
    if version in {"3.6", "3.7"}:  # uv has builds of 3.8 and later
        return f"`pyenv install {version}`"
    return f"`uv python install {version}`, or `pyenv install {version}`"


def platform_name() -> str:
    """Machine and system, such as "x86_64-linux"."""
    return f"{platform.machine()}-{sys.platform}"


def pyenv_versions() -> Path:
    """Folder in which pyenv keeps its interpreters."""
    root = os.environ.get("PYENV_ROOT")
    return (Path(root) if root else Path.home() / ".pyenv") / "versions"


def _candidates(version: str) -> Iterable[Path]:
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
        yield Path(sys.executable)
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *PLACES]
    yield from (Path(each) / f"python{version}" for each in folders if each)
    installed = pyenv_versions().glob(f"{version}.*")
    for each in sorted(installed, key=_numbers, reverse=True):
        yield each / "bin" / "python"
    found = uv.find_python(version)
    if found:
        yield found


def _numbers(path: Path) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", path.name)]

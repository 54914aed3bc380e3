"""What is installed beside us: its versions, and the sources of what has no version of its own."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.machinery import PathFinder
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gmixbench.lab.stacks import StackError, normalized
from gmixbench.measured.backends import BACKENDS

HERE = "here"
"""Stands for what is installed beside us where else a stack's name stands."""

CODE = (".py", ".so", ".pyd")
"""Endings of files that Python imports."""

OURS = "gmixbench"
"""Is not measured, but measures, the same on both sides; the machine's lines have its version."""


def packages() -> dict[str, str]:
    """Version of every distribution that is installed, and of Python, by name."""
    found = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    for each in distributions():
        if each.name:  # what a broken installation left has none
            found.setdefault(normalized(each.name), each.version)  # the first is what is imported
    return found


def digest(backend: str) -> str:
    """SHA-256 of all versions and the backend, and of sources that may change under one version.

    These are a checkout's that is installed to be edited, and those of a backend of one's own.

    Raises
    ------
    StackError
        What a known backend measures is not installed, or there is no such module.
    """
    installed = packages()
    lines = [f"{HERE} {backend}", platform.python_version()]
    lines += [f"{name} {version}" for name, version in sorted(installed.items())]
    lines += _edited()
    if backend not in BACKENDS:
        lines += _sources(backend)
    elif missing := [name for name in BACKENDS[backend].packages if name not in installed]:
        raise StackError(
            f"{HERE}:{backend}: {missing[0]} is not installed here: {BACKENDS[backend].install}, "
            "or name a stack or a version instead"
        )
    return sha256("\n".join(lines).encode()).hexdigest()


def _edited() -> Iterator[str]:
    """Name and hash of each file of code in checkouts that are installed to be edited."""
    for each in distributions():
        folder = _checkout(each.read_text("direct_url.json"))
        if folder and each.name and normalized(each.name) != OURS:
            for path in sorted(_code(folder)):
                name = path.relative_to(folder).as_posix()
                yield f"{normalized(each.name)} {name} {sha256(path.read_bytes()).hexdigest()}"


def _checkout(told: str | None) -> Path | None:
    """Folder that an installation stands in, if it is there to be edited (PEP 610)."""
    try:
        match json.loads(told or "null"):
            case {"url": str(url), "dir_info": {"editable": True}}:
                return Path(url2pathname(urlsplit(url).path))
    except ValueError:  # what a broken installation left
        pass
    return None


def _code(folder: Path) -> Iterator[Path]:
    for place, inside, names in os.walk(folder):
        # A checkout may hold environments, which are not its own code.
        inside[:] = [
            each
            for each in inside
            if not each.startswith(".") and not (Path(place) / each / "pyvenv.cfg").is_file()
        ]
        yield from (Path(place) / name for name in names if name.endswith(CODE))


def _sources(module: str) -> list[str]:
    """Name and hash of a module's source file, and of all in its package, which it may import."""
    top, *inside = module.split(".")
    # As a worker finds it, which is run in this folder. Nothing is imported: it is not ours to run.
    spec = PathFinder.find_spec(top, [str(Path.cwd())]) or find_spec(top)
    folders = [Path(each) for each in (spec and spec.submodule_search_locations) or ()]
    files = {path.relative_to(folder): path for folder in folders for path in folder.rglob("*.py")}
    own = Path(*inside)
    if not {own.with_suffix(".py"), own / "__init__.py"} & files.keys():
        raise StackError(
            f"{HERE}:{module}: there is no source file of a module {module}: PYTHONPATH must have "
            "the folder that it stands in"
        )
    return [
        f"{name.as_posix()} {sha256(path.read_bytes()).hexdigest()}"
        for name, path in sorted(files.items())
    ]

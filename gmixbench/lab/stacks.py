"""Stacks: one version of a library with all it needs, as a lock file tells it.

A lock file is a requirements file in which every package is pinned and hashed, under a header of
`# key: value` lines that says what it is and how it was made. Other remarks may stand anywhere.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

PPLS = {"pymc3": "pymc", "pymc": "pymc", "numpyro": "numpyro"}
"""The PPL ("library" on the command line and in files) whose history a package belongs to:
PyMC3 is PyMC's past."""

FOLDER = Path("benchmarks") / "stacks"
"""Where lock files stand, below the current folder, unless `GMIXBENCH_STACKS` says otherwise."""

AGAIN = "restore the file, or make it again with `gmixbench stacks lock`"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_KEYS = (
    "stack",
    "library",
    "package",
    "version",
    "released",
    "python",
    "platform",
    "cutoff",
    "made",
    "by",
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MINOR = re.compile(r"[0-9]+\.[0-9]+")
_LATER = "exclude-newer-package"
_SOURCE = re.compile(r"(?P<wheel>\S+\.whl) sha256:(?P<sha256>[0-9a-f]{64}) from (?P<origin>.+)")
_REMARK = re.compile(r"#\s*([a-z-]+):\s*(.*\S)\s*")
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)((?:\s+--hash=sha256:[0-9a-f]{64})*)")


class StackError(ValueError):
    """A stack that can't be read, made or built; one line says which, why and what to do."""


@dataclass(frozen=True)
class Source:
    """A wheel that no registry has: given by its user, or built from a checkout or VCS address.

    `wheel` is its file name, `origin` where it came from, without the folders of any machine.
    """

    wheel: str
    sha256: str
    origin: str

    @property
    def package(self) -> str:
        """Normalized name of the distribution."""
        return normalized(self.wheel.split("-", 1)[0])


@dataclass(frozen=True)
class Stack:
    """One version of a library with all it needs, pinned and hashed.

    Parameters
    ----------
    name : of the stack, and of its lock file less `.txt`
    ppl : "pymc" or "numpyro": the library whose past it is part of (`library` in its file)
    package : the distribution that is measured: "pymc3", "pymc" or "numpyro"
    version : of that distribution
    released : ISO date of that version's first file, or of the lock where no registry has it
    python : minor version, such as "3.13"
    platform : such as "x86_64-linux"
    cutoff : ISO date, inclusive (UTC): no file that is younger was considered
    later : package -> date, for packages with a cut-off of their own
    made : the command that makes the lock again
    by : the uv that resolved it, and when
    sources : wheels that no registry has
    packages : normalized name -> version, of every package
    hashes : normalized name -> SHA-256 of every file of that version
    """

    name: str
    ppl: str
    package: str
    version: str
    released: str
    python: str
    platform: str
    cutoff: str
    later: Mapping[str, str]
    made: str
    by: str
    sources: tuple[Source, ...]
    packages: dict[str, str]
    hashes: dict[str, tuple[str, ...]]

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what is built; remarks have no part in it."""
        return sha256("\n".join([*self._conditions(), self.requirements]).encode()).hexdigest()

    @property
    def requirements(self) -> str:
        """Pinned and hashed requirements, in order of name."""
        return "".join(
            " \\\n    ".join(
                [f"{name}=={self.packages[name]}"]
                + [f"--hash=sha256:{each}" for each in self.hashes[name]]
            )
            + "\n"
            for name in sorted(self.packages)
        )

    def text(self) -> str:
        """The lock file."""
        header = {
            "stack": self.name,
            "library": self.ppl,
            "package": self.package,
            "version": self.version,
            "released": self.released,
            "python": self.python,
            "platform": self.platform,
            "cutoff": self.cutoff,
        }
        lines = [f"# {key}: {value}" for key, value in header.items()]
        lines += [f"# {_LATER}: {name}={date}" for name, date in self.later.items()]
        lines += [
            f"# source: {each.wheel} sha256:{each.sha256} from {each.origin}"
            for each in self.sources
        ]
        lines += [f"# made: {self.made}", f"# by: {self.by}", ""]
        return "\n".join(lines) + self.requirements

    def _conditions(self) -> Iterable[str]:
        yield f"python {self.python} {self.platform}"
        yield f"cutoff {self.cutoff}"
        yield from sorted(f"{name}={date}" for name, date in self.later.items())
        yield from sorted(each.sha256 for each in self.sources)


def normalized(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_name(name: str) -> None:
    """Raise `StackError` unless `name` can be that of a stack, and of its file."""
    if not _NAME.fullmatch(name):
        raise StackError(
            f"{name!r} can't be a stack's name: use letters, digits, dots, plus and minus signs"
        )


def is_date(text: str) -> bool:
    """Whether a text is a day as lock files have it, such as "2024-08-05"."""
    try:
        # The last day that dates know has no next one, which is where a cut-off ends.
        return bool(_DATE.fullmatch(text)) and date.fromisoformat(text) < date.max
    except ValueError:
        return False


def folder(given: Path | None = None) -> Path:
    """Folder of lock files: the one given, else `GMIXBENCH_STACKS`, else benchmarks/stacks."""
    return given or Path(os.environ.get("GMIXBENCH_STACKS") or FOLDER)


def find(name: str, locks: Path) -> Stack:
    """The stack of that name.

    Raises
    ------
    StackError
        There is no such lock file, or it is damaged.
    """
    check_name(name)
    path = locks / f"{name}.txt"
    if not path.is_file():
        known = [each.stem for each in lock_files(locks)]
        raise StackError(f"{unknown(name, known)} ({locks})")
    return read(path)


def unknown(name: str, known: Iterable[str]) -> str:
    """Words for a name that no stack has, with the nearest that one has."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"there is no stack {name}: {meant}`gmixbench stacks list` shows all"


def lock_files(locks: Path) -> tuple[Path, ...]:
    """All lock files of a folder, by name."""
    return tuple(sorted(locks.glob("*.txt")))


def stacks(locks: Path) -> tuple[Stack, ...]:
    """All stacks of a folder whose lock can be read, by library and release date."""
    found = [each for each in _read_all(locks) if isinstance(each, Stack)]
    return tuple(sorted(found, key=order))


def order(stack: Stack) -> tuple[str, str, list[int], str]:
    """What stacks are sorted by: library, day of release, version, and then name."""
    numbers = [int(each) for each in re.findall(r"\d+", stack.version)]
    return stack.ppl, stack.released, numbers, stack.name


def damaged(locks: Path) -> tuple[StackError, ...]:
    """What is wrong with the lock files of a folder that can't be read."""
    return tuple(each for each in _read_all(locks) if isinstance(each, StackError))


def read(path: Path) -> Stack:
    """Read a lock file.

    Raises
    ------
    StackError
        It can't be read, its header is not whole, its name is not that of the file, or a package
        is not pinned and hashed. The message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise StackError(f"{path}: {reason}: {AGAIN}") from None
    header, later, sources = _header(path, text)
    packages, hashes = _pins(path, text)
    if normalized(header["package"]) not in packages:
        raise StackError(f"{path}: no line pins {header['package']}, its own package: {AGAIN}")
    if packages[normalized(header["package"])] != header["version"]:
        raise StackError(f"{path}: the header's version is not the one pinned: {AGAIN}")
    return Stack(
        name=header["stack"],
        ppl=header["library"],
        package=header["package"],
        version=header["version"],
        released=header["released"],
        python=header["python"],
        platform=header["platform"],
        cutoff=header["cutoff"],
        later=later,
        made=header["made"],
        by=header["by"],
        sources=sources,
        packages=packages,
        hashes=hashes,
    )


def _read_all(locks: Path) -> Iterable[Stack | StackError]:
    for path in lock_files(locks):
        try:
            yield read(path)
        except StackError as error:
            yield error


def _header(path: Path, text: str) -> tuple[dict[str, str], dict[str, str], tuple[Source, ...]]:
    header: dict[str, str] = {}
    later: dict[str, str] = {}
    sources: list[Source] = []
    for number, line in enumerate(text.splitlines(), 1):
        remark = _REMARK.fullmatch(line)
        if not remark:
            continue
        key, value = remark.groups()
        if key == _LATER:
            name, _, day = value.partition("=")
            if not (name and is_date(day)):
                raise StackError(f"{path}, line {number}: not NAME=DATE: {AGAIN}")
            later[name] = day
        elif key == "source":
            found = _SOURCE.fullmatch(value)
            if not found:
                raise StackError(f"{path}, line {number}: not WHEEL sha256:... from ...: {AGAIN}")
            sources.append(Source(**found.groupdict()))
        elif key in _KEYS:
            if key in header:
                raise StackError(f"{path}, line {number}: {key} stands twice: {AGAIN}")
            if not _fits(key, value):
                raise StackError(f"{path}, line {number}: {value!r} is no {key}: {AGAIN}")
            header[key] = value
    missing = [key for key in _KEYS if key not in header]
    if missing:
        raise StackError(f"{path}: the header has no {', '.join(missing)}: {AGAIN}")
    if header["stack"] != path.stem:
        raise StackError(
            f"{path}: it calls itself {header['stack']}: name the file {header['stack']}.txt"
        )
    if PPLS.get(header["package"]) != header["library"]:
        raise StackError(
            f"{path}: package {header['package']} is not of library {header['library']}: {AGAIN}"
        )
    return header, later, tuple(sources)


def _fits(key: str, value: str) -> bool:
    if key in {"released", "cutoff"}:
        return is_date(value)
    return key != "python" or bool(_MINOR.fullmatch(value))


def _pins(path: Path, text: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    packages: dict[str, str] = {}
    hashes: dict[str, tuple[str, ...]] = {}
    for number, line in _logical_lines(text):
        where = f"{path}, line {number}"
        found = _PIN.fullmatch(line)
        if not found:
            raise StackError(f"{where}: not NAME==VERSION with hashes: {line[:60]!r}: {AGAIN}")
        name = normalized(found[1])
        if not found[3]:
            raise StackError(f"{where}: {name} has no hash: {AGAIN}")
        if name in packages:
            raise StackError(f"{where}: {name} is pinned twice: {AGAIN}")
        packages[name] = found[2]
        hashes[name] = tuple(sorted(re.findall(r"sha256:([0-9a-f]{64})", found[3])))
    return packages, hashes


def _logical_lines(text: str) -> Iterable[tuple[int, str]]:
    begun = 0
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if not plain or plain.startswith("#"):
            continue
        begun = begun if parts else number
        parts.append(plain.removesuffix("\\").strip())
        if not plain.endswith("\\"):
            yield begun, " ".join(parts)
            parts = []
    if parts:
        yield begun, " ".join(parts)

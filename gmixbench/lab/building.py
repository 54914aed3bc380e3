"""Environments of stacks, in the user's cache: built once, shared, rebuilt when damaged."""

import csv
import fcntl
import json
import os
import shutil
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import platformdirs

from gmixbench.lab import interpreters, uv
from gmixbench.lab.stacks import Stack, StackError, normalized

MARKER = "gmixbench.json"
"""Written last: an environment without it was never finished."""

NOT_BUILT = "not built"

POLL = 0.1
"""Seconds between looks at another process's build."""


class Stamp(NamedTuple):
    """Size in bytes and `st_mtime_ns` of a file; an older gmixbench noted sizes alone."""

    size: int
    modified: int | None


@dataclass(frozen=True)
class Built:
    """What a finished environment tells of itself.

    `seconds` is what building took, `files` the stamp of each file by its path below the
    environment.
    """

    digest: str
    uv: str
    python: str
    seconds: float
    files: dict[str, Stamp]


def cache() -> Path:
    """Folder of all that gmixbench keeps for its user: `GMIXBENCH_CACHE`, or the system's."""
    given = os.environ.get("GMIXBENCH_CACHE")
    return Path(given).absolute() if given else platformdirs.user_cache_path("gmixbench")


def environment(stack: Stack) -> Path:
    """Where the environment of a stack stands, or will; another lock has another place."""
    return _stacks() / f"{stack.name}-{stack.digest[:12]}"


def build(stack: Stack, *, say: uv.Say = lambda _: None) -> Path:
    """Interpreter of the stack's environment, which is built unless it stands whole.

    Two processes may ask at once: one builds, the other waits. Being killed leaves nothing that a
    second call trips over.

    Parameters
    ----------
    stack : as its lock file tells it
    say : told what is going on

    Raises
    ------
    StackError
        It can't be built: no such Python here, no network, a release that is gone, a hash that
        doesn't match, a full disk. One line says which stack, why, and what to do.
    """
    place = environment(stack)
    with _held(stack.name, place, say) as held:
        found = faults(stack)
        if not found:
            return _python(place)
        if (place / MARKER).exists():
            say(f"{stack.name}: damaged ({found[0]}): building again")
        python = _interpreter(stack)
        say(f"{stack.name}: building on Python {stack.python}")
        _wipe(place)
        begun = time.monotonic()
        try:
            _fill(stack, python, place, held, say)
            _mark(stack, place, time.monotonic() - begun)
        except (StackError, OSError):
            _wipe(place)
            raise
        return _python(place)


def faults(stack: Stack) -> tuple[str, ...]:
    """What is wrong with the environment of a stack; nothing if it stands whole."""
    place = environment(stack)
    done = built(stack)
    if done is None:
        return (NOT_BUILT,)
    if done.digest != stack.digest:
        return ("built from another lock",)
    wrong = [
        f"{path} is damaged" for path, stamp in done.files.items() if _changed(place / path, stamp)
    ]
    if not _runs(_python(place)):
        wrong.append("its Python does not run")
    return tuple(wrong)


def built(stack: Stack) -> Built | None:
    """What the finished environment of a stack tells of itself, or None."""
    try:
        told = json.loads((environment(stack) / MARKER).read_text(encoding="utf-8"))
        files = {
            path: Stamp(each, None) if isinstance(each, int) else Stamp(*each)
            for path, each in told["files"].items()
        }
        return Built(**{**told, "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def remove(names: Collection[str] | None = None, *, say: uv.Say = lambda _: None) -> int:
    """Remove environments, those of earlier locks too; gives how many there were.

    One that is being built is removed when that is done. What is measured in one meanwhile fails.

    Parameters
    ----------
    names : of stacks, whether or not their lock is here; all unless given
    say : told what is going on

    Raises
    ------
    StackError
        One can't be removed.
    """
    chosen = environments(names)
    for place in chosen:
        with _held(place.name, place, say):
            _wipe(place)
    return len(chosen)


def environments(names: Collection[str] | None = None) -> tuple[Path, ...]:
    """Environments in the cache, finished or not: those of the stacks named, or all."""
    if not _stacks().is_dir():
        return ()
    every = (each for each in _stacks().iterdir() if each.is_dir() and each.name[0] != ".")
    return tuple(
        sorted(each for each in every if names is None or each.name.rpartition("-")[0] in names)
    )


@dataclass(frozen=True)
class DiskUse:
    """Disk that an environment uses: bytes and number of links of each file, by device and inode.

    uv links files from its cache where it can; removing the environment alone frees `own` bytes.
    """

    files: dict[tuple[int, int], tuple[int, int]]

    @property
    def total(self) -> int:
        """Bytes of all its files."""
        return sum(size for size, _ in self.files.values())

    @property
    def own(self) -> int:
        """Bytes of the files that nothing else holds."""
        return sum(size for size, links in self.files.values() if links == 1)


def disk_use(place: Path) -> DiskUse:
    """Look at every file below a folder."""
    files = {}
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(FileNotFoundError):  # one that is being built has files that come and go
                status = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - twenty thousand files
                files[status.st_dev, status.st_ino] = status.st_blocks * 512, status.st_nlink
    return DiskUse(files)


def together(uses: Iterable[DiskUse]) -> int:
    """Bytes of several environments, files that they share counted once."""
    files: dict[tuple[int, int], tuple[int, int]] = {}
    for use in uses:
        files.update(use.files)
    return sum(size for size, _ in files.values())


def wheel_path(sha256: str, wheel: str) -> Path:
    """Where a wheel that no registry has is kept."""
    return cache() / "wheels" / sha256 / wheel


def _stacks() -> Path:
    return cache() / "stacks"


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _interpreter(stack: Stack) -> Path:
    here = interpreters.platform_name()
    if stack.platform != here:
        raise StackError(
            f"{stack.name}: locked for {stack.platform}, this machine is {here}: "
            f"lock it here: {stack.made}"
        )
    found = interpreters.find(stack.python)
    if not found:
        raise StackError(
            f"{stack.name}: no Python {stack.python} runs on this machine: "
            f"{interpreters.how_to_get(stack.python)}"
        )
    return found.path


def _fill(stack: Stack, python: Path, place: Path, held: int, say: uv.Say) -> None:
    pins = place.with_name(f".{place.name}.in")
    pins.write_text(_requirements(stack), encoding="utf-8")
    name = stack.name
    # uv's own compiler needs Python 3.7.
    bytecode = () if stack.python == "3.6" else ("--compile-bytecode",)

    def call(*arguments: str) -> None:
        uv.run(arguments, what=name, folder=place.parent, keep_open=held, say=say)

    def install() -> None:
        call("venv", "--no-project", "--clear", "--python", str(python), str(place))
        sync = ("pip", "sync", "--python", str(_python(place)), "--require-hashes")
        call(*sync, *uv.dates(stack.cutoff, stack.later), *bytecode, str(pins))
        if not bytecode:
            subprocess.run(
                [str(_python(place)), "-m", "compileall", "-q", str(place / "lib")],
                capture_output=True,
                check=False,  # some packages carry files that only another Python can read
                pass_fds=(held,),
            )

    try:
        install()
        wrong = _unlike_record(place)
        if wrong:
            # uv links files from its cache: what was damaged in place, in any environment, is
            # damaged there too. What it fetches now is whole: its hash is checked. If a record
            # still says otherwise, the record is wrong.
            say(f"{name}: damaged in uv's cache: {', '.join(sorted(wrong))}: fetching again")
            call("cache", "clean", *sorted(wrong))
            install()
    finally:
        pins.unlink(missing_ok=True)


def _requirements(stack: Stack) -> str:
    lines = stack.requirements
    for source in stack.sources:
        path = wheel_path(source.sha256, source.wheel)
        if not path.is_file():
            raise StackError(
                f"{stack.name}: it needs {source.wheel}, from {source.origin}, which only the "
                f"machine that locked it has: lock it here: {stack.made}"
            )
        pin = f"{source.package}=={stack.packages[source.package]} "
        lines = lines.replace(f"\n{pin}", f"\n{source.package} @ {path.as_uri()} ")
        if lines.startswith(pin):
            lines = f"{source.package} @ {path.as_uri()} {lines.removeprefix(pin)}"
    return lines


def _unlike_record(place: Path) -> set[str]:
    """Names of the distributions of which a file is not there, or not what its record says."""
    wrong = set()
    for record in place.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        root = record.parent.parent
        with record.open(encoding="utf-8", newline="") as lines:
            for path, told, _ in csv.reader(lines):
                # NumPy 1.26 ships one of its .pyc files, which compiling replaces; what stands in
                # a .data folder of the wheel is moved (NumPy 1.15: f2py); uv writes RECORD anew.
                changed = path.endswith((".pyc", "/RECORD")) or ".data/" in path
                if told and not changed and not _has_hash(root / path, told):
                    wrong.add(normalized(record.parent.name.split("-", 1)[0]))
                    break
    return wrong


def _mark(stack: Stack, place: Path, seconds: float) -> None:
    done = Built(
        digest=stack.digest,
        uv=uv.version(),
        python=stack.python,
        seconds=round(seconds, 3),
        files=dict(_files(place)),
    )
    part = place / f"{MARKER}.part"
    with part.open("w", encoding="utf-8") as file:
        json.dump(asdict(done), file)
    part.replace(place / MARKER)


def _files(place: Path) -> Iterator[tuple[str, Stamp]]:
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - twenty thousand files
            if not os.path.islink(path):  # noqa: PTH114 - twenty thousand files
                yield os.path.relpath(path, place), _stamp(path)


def _stamp(path: str | Path) -> Stamp:
    status = os.stat(path)  # noqa: PTH116 - twenty thousand files
    return Stamp(status.st_size, status.st_mtime_ns)


def _changed(path: Path, stamp: Stamp) -> bool:
    try:
        now = _stamp(path)
    except OSError:
        return True
    return now.size != stamp.size or stamp.modified not in {None, now.modified}


def _has_hash(path: Path, told: str) -> bool:
    """Whether a file is the one that a record tells of, as `sha256=` and base64 without padding."""
    algorithm, _, value = told.partition("=")
    try:
        with path.open("rb") as file:
            found = file_digest(file, algorithm).digest()
    except OSError:
        return False
    return urlsafe_b64encode(found).rstrip(b"=").decode() == value.rstrip("=")


def _runs(python: Path) -> bool:
    try:
        return (
            subprocess.run(
                [str(python), "-I", "-c", ""], capture_output=True, check=False, timeout=60
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _wipe(place: Path) -> None:
    # The marker first: being killed in the midst must not leave a half that looks whole.
    (place / MARKER).unlink(missing_ok=True)
    if place.exists():
        shutil.rmtree(place)


@contextmanager
def _held(name: str, place: Path, say: uv.Say) -> Iterator[int]:
    """Hold the lock of an environment; gives its descriptor.

    The system ends the lock with the last process that has the descriptor. uv gets it too: if we
    are killed, a second call waits for the uv that we leave behind.
    """
    held = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(place.with_name(f".{place.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
        waiting = False
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    say(f"{name}: waiting for another build")
                waiting = True
                time.sleep(POLL)
        yield held
    except OSError as error:
        raise StackError(f"{name}: {uv.explain(str(error))}") from None
    finally:
        if held is not None:
            os.close(held)

"""Claim a folder for a command: it is empty or the command's own, and nobody else is at work there.

What a command left is known by one file. Whatever else stands in a folder may be anyone's, and is
not to be mixed with what we write.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gmixbench.lab.store import FolderError


@dataclass(frozen=True)
class Owner:
    """Who writes into a folder: commands, the file that is always there, and what comes before."""

    commands: str
    mark: str
    early: tuple[str, ...] = ()


RUN = Owner("`run` or `scale`", "plan.json")
COMPARISON = Owner("`compare`, `noise` or `bisect`", "compare.json", early=("worker.pyz",))
HISTORY = Owner("`history`", "history.json")

ADVICE = "give another --out"


@contextmanager
def locked(out: Path, owner: Owner) -> Iterator[None]:
    """Make a folder and keep others out of it; the lock goes with the process that holds it.

    Raises
    ------
    FolderError
        It is not the owner's, another process is at work there, or it can't be written. Then
        nothing was written either.
    """
    try:
        refuse_others(out, owner)
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("w")
    except OSError as error:
        is_file = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "not a directory" if is_file else error.strerror
        raise FolderError(f"{error.filename or out}: {reason}: {ADVICE}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"another run is at work in {out}: {ADVICE}") from None
        yield


def refuse_others(out: Path, owner: Owner) -> None:
    """Refuse a folder with anything in it that is not the owner's; hidden files are no content.

    Raises
    ------
    FolderError
        It holds what another command left, or what none did.
    OSError
        It can't be read.
    """
    if out.is_dir():
        names = _content(out)
        if owner.mark not in names:
            _refuse(out, owner, [name for name in names if name not in owner.early])


def refuse_all_but_folders(out: Path, owner: Owner) -> None:
    """The same of a folder that holds folders of the owner's, and nothing else.

    Raises
    ------
    FolderError
        It holds what is none.
    OSError
        It can't be read.
    """
    if out.is_dir():
        names = _content(out)
        _refuse(out, owner, [name for name in names if not (out / name).is_dir()])
        for name in names:
            refuse_others(out / name, owner)


def _content(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


def _refuse(out: Path, owner: Owner, foreign: Sequence[str]) -> None:
    for other in (RUN, COMPARISON, HISTORY):
        if other.mark in foreign:
            raise FolderError(f"{out} holds what {other.commands} left ({other.mark}): {ADVICE}")
    if foreign:
        raise FolderError(
            f"{out} holds {foreign[0]!r}, which {owner.commands} did not leave: {ADVICE}"
        )

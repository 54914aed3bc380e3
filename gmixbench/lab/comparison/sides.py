"""What a user calls one side of a comparison, made into something that can be measured.

It may be what is installed beside us, a stack, or requirements that are locked on the spot; each
may end in `:BACKEND`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from gmixbench.lab import interpreters, locking, uv
from gmixbench.lab.comparison import here, kept
from gmixbench.lab.comparison.requirements import Requirement, parse
from gmixbench.lab.stacks import PPLS, Stack, StackError, find, normalized, stacks
from gmixbench.measured.backends import BACKENDS
from gmixbench.ruler.comparison.nouns import Variant

_BACKEND = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*)*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Side:
    """One side of a comparison; `stack` is `None` for what is installed beside us."""

    variant: Variant
    stack: Stack | None


def side(text: str, locks: Path, *, say: uv.Say = lambda _: None) -> Side:
    """What a text stands for.

    Parameters
    ----------
    text
        `here:BACKEND`; the name of a stack; or requirements between spaces or commas: versions
        (`pymc==6.3.2`, or `pymc@6.3.2`), bounds, wheels, checkouts (with a slash: `./pymc`), and
        VCS addresses (`git+https://...@rev`). A version of which there is a lock file is that
        stack. A stack or requirements may be followed by `:BACKEND`; else it is that of the
        package they are for.
    locks
        Folder of lock files; those made on the spot are kept in the user's cache.
    say
        Told what is going on.

    Raises
    ------
    StackError
        It stands for nothing, can't be had, or doesn't have that backend. One line says why.
    """
    what, backend = parts(text)
    if backend and backend not in BACKENDS and "." not in backend:
        raise StackError(
            f"{text!r}: unknown backend {backend}: choose from {', '.join(BACKENDS)}, or name a "
            "module of your own, with a dot"
        )
    if what == here.HERE:
        return _installed(text, backend)
    try:
        stack = _stack(what, locks, say)
    except StackError as error:
        raise StackError(f"{text!r}: {error}") from None
    return of(stack, backend or stack.package, text)


def of(stack: Stack, backend: str, name: str) -> Side:
    """Side of a stack that is at hand.

    Raises
    ------
    StackError
        The stack doesn't have what the backend measures.
    """
    if backend == "exact":
        raise StackError(f"{name!r}: no stack has exact: write {here.HERE}:exact")
    needed = BACKENDS[backend].packages if backend in BACKENDS else ()
    if missing := [package for package in needed if package not in stack.packages]:
        raise StackError(f"{name!r}: {stack.name} has no {missing[0]}: name a stack that has it")
    digest = sha256(f"{stack.digest} {backend}".encode()).hexdigest()
    packages = {**stack.packages, "python": stack.python}
    return Side(Variant(name, stack.name, backend, packages, digest), stack)


def parts(text: str) -> tuple[str, str | None]:
    """What is measured, and the backend where one is named."""
    text = text.strip()
    what, colon, backend = text.rpartition(":")
    return (what, backend) if colon and _BACKEND.fullmatch(backend) else (text, None)


def _installed(text: str, backend: str | None) -> Side:
    if backend is None:
        raise StackError(f"{text!r}: say what of it: {here.HERE}:pymc, or another backend")
    return Side(Variant(text, here.HERE, backend, here.packages(), here.digest(backend)), None)


def _stack(what: str, locks: Path, say: uv.Say) -> Stack:
    if _WORD.fullmatch(what) and not what.endswith(".whl"):
        for folder in (locks, kept.folder()):
            if (folder / f"{what}.txt").is_file():
                return find(what, folder)
        if Path(what).is_dir():
            raise StackError(f"write ./{what} for the folder, or a version, such as pymc==6.4.0")
        if normalized(what) not in PPLS:
            return find(what, locks)  # tells which there are
    whole = "/" in what and Path(what).exists()  # a folder's name may have spaces
    wanted = (Requirement(what),) if whole else parse(what)
    locked = _locked(wanted[0], locks) if len(wanted) == 1 else None
    return locked or _lock_now(wanted, say)


def _locked(wanted: Requirement, locks: Path) -> Stack | None:
    """Stack of exactly that version, from an index and for this machine; `None` if none is."""
    found = [
        stack
        for stack in stacks(locks)
        if (stack.package, stack.version) == (wanted.package, wanted.version)
        and stack.package not in {source.package for source in stack.sources}
        and stack.platform == interpreters.platform_name()
    ]
    named = [stack for stack in found if stack.name == f"{stack.package}-v{stack.version}"]
    chosen = named or found
    if len(chosen) > 1:
        names = ", ".join(stack.name for stack in chosen)
        raise StackError(f"several stacks have it: name one of {names}")
    return chosen[0] if chosen else None


def _lock_now(wanted: Sequence[Requirement], say: uv.Say) -> Stack:
    texts = [each.text for each in wanted]
    name = _label(texts)
    try:
        stack = _resolved(name, texts, say)
    except StackError as error:
        raise StackError(str(error).removeprefix(f"{name}: ")) from None
    for each in wanted:
        if each.package and not each.version:
            built = {source.package for source in stack.sources}
            if each.package not in built:
                raise StackError(f"{each.text} is not {each.package}: it is {', '.join(built)}")
    say(f"{name}: locked as {stack.name} in {kept.folder()}")
    return stack


def _resolved(name: str, texts: Sequence[str], say: uv.Say) -> Stack:
    def lock() -> Stack:
        return locking.lock(name, texts, say=say)

    if any(Path(text).is_dir() for text in texts):
        return kept.keep(lock())  # only the wheel that is built of it tells what it is
    meant = [_meant(name, text) for text in texts]
    return kept.once("\n".join([_today(), interpreters.platform_name(), *meant]), lock)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _meant(name: str, text: str) -> str:
    """A requirement with what it stands for now, where the same words may mean another."""
    if text.startswith("git+"):
        return f"{text} {locking.revision(name, text)}"
    if text.endswith(".whl") and Path(text).is_file():
        return f"{Path(text).name} {sha256(Path(text).read_bytes()).hexdigest()}"
    return text


def _label(texts: Sequence[str]) -> str:
    """A name for what is said until the lock has its own."""
    last = (text.rstrip("/").rsplit("/", 1)[-1] for text in texts)
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", " ".join(last)).strip("-.+") or "side"

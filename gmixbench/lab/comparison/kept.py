"""Locks that are made on the spot, and kept in the user's cache beside the environments.

A lock is named after what it installs: what was measured before stays what it was, and what is the
same is built once. Its file is an ordinary lock file, and its name can be given like any stack's.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from gmixbench.disk import write_bytes
from gmixbench.lab import building, locking
from gmixbench.lab.stacks import Stack, StackError, find, read


def folder() -> Path:
    """Where they are kept."""
    return building.cache() / "locks"


def once(question: str, make: Callable[[], Stack]) -> Stack:
    """The stack that answers a question, which is asked again only if the answer was lost.

    Parameters
    ----------
    question : all that the answer depends on
    make : locks it
    """
    answer = folder() / "asked" / sha256(question.encode()).hexdigest()
    try:
        return find(answer.read_text(encoding="utf-8"), folder())
    except (OSError, ValueError):  # not there, or damaged
        stack = keep(make())
    write_bytes(answer, stack.name.encode())
    return stack


def keep(stack: Stack) -> Stack:
    """Write a stack's lock under the name of what it installs, and give it with that name.

    One that installs the same is given as it is there: another day alone is no other stack.
    """
    content = replace(stack, cutoff="", later={}).digest
    name = f"{stack.package}-{stack.version.replace('!', '-')}-{content[:8]}"
    try:
        return read(folder() / f"{name}.txt")
    except StackError:  # not there, or damaged
        own = locking.renamed(stack, name)
        locking.write(own, folder())
        return own

"""Releases of a library between two of its stacks: where a change is searched."""

from pathlib import Path

from gmixbench.lab.comparison.sides import Side
from gmixbench.lab.stacks import PPLS, Stack, StackError, order, stacks


def between(good: Side, bad: Side, locks: Path) -> tuple[Stack, ...]:
    """All releases from one to the other, both included, in order of their days.

    The ends may be anything that was locked; between them stand the releases that have a lock file
    of their own, each once.

    Raises
    ------
    StackError
        They are not of one library, the first is not older, or one is what is installed here.
    """
    first, last = _stack(good), _stack(bad)
    names = f"{good.variant.name} and {bad.variant.name}"
    if _ppl(good, first) != _ppl(bad, last):
        raise StackError(f"{names} are of two libraries: name two releases of one")
    if first.digest == last.digest:
        raise StackError(f"{names} are the same: name two releases")
    if not _age(first) < _age(last):
        raise StackError(
            f"{good.variant.name} ({first.released}) came out after {bad.variant.name} "
            f"({last.released}): the good one must be the older"
        )
    ends = {_release(first), _release(last)}
    inner: dict[str, Stack] = {}
    for stack in stacks(locks):
        release = _release(stack)
        if (
            release
            and release not in ends
            and stack.ppl == _ppl(good, first)
            and _age(first) < _age(stack) < _age(last)
            and (release not in inner or stack.name == release)
        ):
            inner[release] = stack
    return (first, *inner.values(), last)


def backend_of(stack: Stack, backend: str) -> str:
    """Backend that measures a release: of a library that was renamed, the one of its own name."""
    return stack.package if PPLS.get(backend) == stack.ppl else backend


def _stack(side: Side) -> Stack:
    if side.stack is None:
        raise StackError(f"{side.variant.name} is no release: name a stack or a version")
    return side.stack


def _release(stack: Stack) -> str | None:
    """The release that a stack is of, by the name that its stack has; `None` for a wheel's."""
    if stack.package in {source.package for source in stack.sources}:
        return None
    return f"{stack.package}-v{stack.version}"


def _ppl(side: Side, stack: Stack) -> str:
    return PPLS.get(side.variant.backend, stack.ppl)


def _age(stack: Stack) -> tuple[str, list[int], str]:
    return order(stack)[1:]

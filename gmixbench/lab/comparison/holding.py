"""Stacks between two others: what of one is exchanged for the other's, and what is held.

An exchange has the new version of what is exchanged, and the old one of all else unless the new
ones can't live with it; then that moves too, to its new version where this will do.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from gmixbench.lab import building, locking, uv
from gmixbench.lab.comparison import kept, trial
from gmixbench.lab.comparison.sides import Side, of
from gmixbench.lab.locking import Beside
from gmixbench.lab.stacks import PPLS, Stack, StackError
from gmixbench.ruler.dependencies import STEPS, changed, short


def held(base: Side, new: Side, *, say: uv.Say = lambda _: None) -> Side:
    """The library of `new` among the dependencies of `base`, Python included, as far as it can.

    Raises
    ------
    StackError
        One of them is what is installed here, or it can't be resolved.
    """
    stack = _exchange(_stack(base), _stack(new), _library(new), (), say)
    side = of(stack, new.variant.backend, f"{new.variant.name} (dependencies held)")
    return replace(side, variant=replace(side.variant, held=True))


def steps(
    base: Side,
    new: Side,
    *,
    unsampled: Callable[[Stack], str | None] = lambda _: None,
    say: uv.Say = lambda _: None,
) -> tuple[Side, ...]:
    """From `base` to `new`, both included, one dependency at a time: the library, then `STEPS`.

    A step is named after what it changes. There is none for what doesn't differ, or has moved
    with an earlier one; what can't be exchanged alone, since nothing resolves or the library does
    not import or sample then, is exchanged with the next; and the last one, to `new` itself,
    exchanges all that is left. What is between the two is built.

    Parameters
    ----------
    unsampled : why a stack that imports can't be measured, in one line; `None` if it can
    say : told what is going on, and each step that is left out

    Raises
    ------
    StackError
        One of them is what is installed here, or what was locked before can't be had any more.
    """
    last, wanted, library = _stack(base), _stack(new), _library(new)
    taken = [base]
    moved: set[str] = set()
    for group in ((library,), *STEPS):
        moved.update(group)
        was, to_be = _versions(last), _versions(wanted)
        if all(was.get(name) == to_be.get(name) for name in group):
            continue
        try:
            stack = _exchange(last, wanted, library, moved, say)
        except uv.UvError as error:
            if not error.may_differ:
                raise
            say(f"{' and '.join(group)} not without others: {error}")
            continue
        now = _versions(stack)
        if now == to_be:
            break
        if now == was:
            continue
        reason = trial.fault(stack, library, say=say) or unsampled(stack)
        if reason:
            say(f"{' and '.join(group)} not without others: {reason}")
            continue
        taken.append(of(stack, new.variant.backend, f"+ {short(changed(was, now))}"))
        last = stack
    return (*taken, new)


def _exchange(old: Stack, new: Stack, library: str, moved: Collection[str], say: uv.Say) -> Stack:
    """The new stack's version of its library and of what is moved, the old one's of all else.

    Python stays too, unless it is moved or nothing would resolve.
    """
    if "python" not in moved and old.python != new.python:
        try:
            return _settle(old, new, library, moved, old.python, say)
        except uv.UvError as error:
            if not error.may_differ:
                raise
            say(f"{new.name}: not on Python {old.python}")
    return _settle(old, new, library, moved, new.python, say)


def _settle(
    old: Stack, new: Stack, library: str, moved: Collection[str], python: str, say: uv.Say
) -> Stack:
    prefer = {**new.packages, **old.packages}
    while True:
        found = _lock(old, new, library, moved, prefer, python, say)
        # Where neither the old version nor the new one would have been refused, uv prefers the
        # higher of two: so the new one is put in its place only once the old one was refused.
        refused = {
            name: new.packages[name]
            for name, version in found.packages.items()
            if name in new.packages
            and version not in {prefer[name], new.packages[name]}
            and prefer[name] != new.packages[name]
        }
        if not refused:
            return found
        prefer |= refused


def _lock(
    old: Stack,
    new: Stack,
    library: str,
    moved: Collection[str],
    prefer: Mapping[str, str],
    python: str,
    say: uv.Say,
) -> Stack:
    built = {source.package for source in new.sources}
    pins = {name: new.packages[name] for name in {library, *moved} & {*new.packages} - built}
    # On another Python an old version may have no wheel: it would be compiled, for minutes.
    foreign = {name for name in old.packages if old.packages[name] != new.packages.get(name)}
    wheels = foreign - {*pins} - built if python != old.python else ()
    beside = Beside(pins, prefer, frozenset(wheels))
    cutoff = max(old.cutoff, new.cutoff)
    later = _later(old, new, cutoff)
    requirements = [*_requirements(old, new, library, moved)]

    def lock() -> Stack:
        stack = locking.lock(
            *(new.name, requirements),
            cutoff=cutoff,
            python=python,
            later=later,
            beside=beside,
            say=say,
        )
        known = {source.sha256: source for source in (*old.sources, *new.sources)}
        return replace(stack, sources=tuple(known[each.sha256] for each in stack.sources))

    versions = [sorted(each.items()) for each in (later, pins, prefer)]
    question = [requirements, cutoff, python, new.platform, *versions, sorted(wheels)]
    return kept.once(repr(question), lock)


def _requirements(old: Stack, new: Stack, library: str, moved: Collection[str]) -> Iterator[str]:
    """What must be there: the library, and what was asked for beside it, in whichever version."""
    beside = [*locking.asked(new), *(source.package for source in old.sources)]
    for name in dict.fromkeys([library, *beside]):
        if name not in new.packages:
            continue
        stays = name not in {library, *moved} and name in old.packages
        sources = {source.package: source for source in (old if stays else new).sources}
        if name in sources:
            yield str(building.wheel_path(sources[name].sha256, sources[name].wheel))
        else:
            yield f"{name}=={new.packages[name]}" if name == library else name


def _later(old: Stack, new: Stack, cutoff: str) -> dict[str, str]:
    """Cut-offs of packages' own: later ones of both, and earlier ones that the new stack needs."""
    later = {name: day for name, day in old.later.items() if day > cutoff}
    for name, day in new.later.items():
        if day < new.cutoff or day > later.get(name, cutoff):
            later[name] = day
    return later


def _versions(stack: Stack) -> dict[str, str]:
    """Versions, with the wheel of what no index has: two may have one version."""
    built = {
        source.package: f"{stack.packages[source.package]} ({source.sha256[:8]})"
        for source in stack.sources
    }
    return {**stack.packages, **built, "python": stack.python}


def _stack(side: Side) -> Stack:
    if side.stack is None:
        raise StackError(
            f"{side.variant.name}: what is installed here can't be taken apart: name a stack or a "
            "version"
        )
    return side.stack


def _library(side: Side) -> str:
    """What is measured: another package than the stack's own, if the backend is its."""
    stack = _stack(side)
    backend = side.variant.backend
    return backend if backend in PPLS and backend in stack.packages else stack.package

"""What is missing on this machine for which stack, and how to get it."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gmixbench.lab import building, interpreters, uv
from gmixbench.lab.interpreters import Interpreter
from gmixbench.lab.stacks import Stack

COMPILERS = ("g++", "clang++")

C_ENGINES = ("theano", "theano-pymc", "aesara", "pytensor")
"""Packages that compile a model's C code; PyTensor from 3 on has Numba do it."""

NUMBA_SINCE = (3, 0)


@dataclass(frozen=True)
class Diagnosis:
    """A stack and what it lacks: each a thing, and how to get it.

    `built` tells whether its environment stands whole.
    """

    stack: str
    lacks: tuple[str, ...]
    built: bool


def diagnose(stacks: Sequence[Stack]) -> Iterator[Diagnosis]:
    """Look after each stack in turn.

    Raises
    ------
    StackError
        uv is not here: nothing can be built.
    """
    uv.version()
    found = {version: interpreters.find(version) for version in {each.python for each in stacks}}
    for stack in stacks:
        wrong = building.faults(stack)
        lacks = [*_lacks(stack, found)]
        if wrong and wrong[0] != building.NOT_BUILT:
            again = f"`gmixbench stacks build {stack.name}` builds it again"
            lacks.append(f"its environment is damaged ({wrong[0]}): {again}")
        yield Diagnosis(stack.name, tuple(lacks), built=not wrong)


def needs_compiler(stack: Stack) -> bool:
    """Whether the stack's engine compiles C code when a model is built."""
    for engine in C_ENGINES:
        if engine in stack.packages:
            version = [int(each) for each in re.findall(r"\d+", stack.packages[engine])]
            return engine != "pytensor" or tuple(version[:2]) < NUMBA_SINCE
    return False


def _lacks(stack: Stack, found: Mapping[str, Interpreter | None]) -> Iterable[str]:
    here = interpreters.platform_name()
    if stack.platform != here:
        yield f"it was locked for {stack.platform}, this is {here}: lock it here: {stack.made}"
    interpreter = found[stack.python]
    if interpreter is None:
        looked = f"PATH, {interpreters.pyenv_versions()} and uv's own"
        get = interpreters.how_to_get(stack.python)
        yield f"no Python {stack.python} runs here (looked in {looked}): {get}"
    for source in stack.sources:
        if not building.wheel_path(source.sha256, source.wheel).is_file():
            yield f"{source.wheel} from {source.origin} is not here: lock it here: {stack.made}"
    if not needs_compiler(stack):
        return
    if not any(map(shutil.which, COMPILERS)):
        yield (
            f"no C++ compiler ({' or '.join(COMPILERS)}): install one (Debian, Ubuntu: "
            "apt install g++; macOS: xcode-select --install)"
        )
    if interpreter is not None and not interpreter.headers:
        yield (
            f"no headers (Python.h) of Python {stack.python}: install them (Debian, Ubuntu: "
            f"apt install python{stack.python}-dev)"
        )

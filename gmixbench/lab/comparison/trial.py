"""Whether a stack that no release was tested with can be measured at all."""

import subprocess
import tempfile
from pathlib import Path

from gmixbench.lab import building, environment, uv
from gmixbench.lab.stacks import Stack

PATIENCE = 600.0
"""Seconds for an import: the oldest releases compile C++ in it."""


def fault(stack: Stack, package: str, *, say: uv.Say = lambda _: None) -> str | None:
    """Why a package of a stack can't be imported there, in one line; `None` if it can.

    The stack is built, which measuring it would need all the same.

    Raises
    ------
    StackError
        It can't be built for a reason that is not its own: no network, no disk, no such Python.
    """
    try:
        python = building.build(stack, say=say)
    except uv.UvError as error:
        if not error.may_differ:
            raise
        return str(error)
    with tempfile.TemporaryDirectory(prefix="gmixbench-") as scratch:
        try:
            done = subprocess.run(
                [str(python), "-I", "-c", f"import {package}"],
                env=environment.measured(Path(scratch)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return f"{stack.name}: `import {package}` takes longer than {PATIENCE:g} s"
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["killed"])[-1]
    return f"{stack.name}: `import {package}` fails: {last}"

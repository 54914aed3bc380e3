"""Whether a stack that no release was tested with can be measured at all."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gmixbench.lab import building, environment, travel, uv
from gmixbench.lab.execute import job, run_case
from gmixbench.lab.points import Located
from gmixbench.lab.stacks import Stack
from gmixbench.record import Failure
from gmixbench.spec import Case

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


def unsampled(
    stack: Stack,
    cases: Sequence[Case],
    exact: Located,
    *,
    timeout: float,
    say: uv.Say = lambda _: None,
) -> str | None:
    """Why one of some cases can't be measured in a stack, in one line; `None` if all can.

    Raises
    ------
    StackError
        It can't be built.
    OSError
        There is no room for what it leaves.
    """
    python = building.build(stack, say=say)
    with tempfile.TemporaryDirectory(prefix="gmixbench-") as name:
        scratch = Path(name).resolve()
        worker = travel.worker(python, travel.pack(scratch / "worker.pyz"))
        for case in cases:
            record = run_case(job(case, exact), scratch, timeout=timeout, worker=worker)
            if isinstance(record, Failure):
                told = " ".join(record.message.split())
                return f"{stack.name}: {case.model.name} {case.method}: {record.kind}: {told}"
    return None

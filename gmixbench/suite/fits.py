"""Fits as the harnesses use them: measured in a fresh process, and refused where invalid."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from gmixbench.lab import building, stacks, travel
from gmixbench.lab.execute import HERE as BESIDE_US
from gmixbench.lab.execute import Worker, job, run_case
from gmixbench.record import Failure
from gmixbench.ruler.verdict import Judged, judge
from gmixbench.spec import HERE, Case
from gmixbench.truth.exact import Exact


class RefusedError(RuntimeError):
    """A fit that gave no result, or an invalid one: it says why, and shows no speed.

    Attributes
    ----------
    reasons : why, each as in scores.json
    """

    def __init__(self, reasons: Sequence[str], kind: str = "invalid") -> None:
        super().__init__(f"{kind}: {'; '.join(reasons)}")
        self.reasons = [*reasons] if kind == "invalid" else [str(self)]


def fit(case: Case, exact: Exact, *, timeout: float, worker: Worker = BESIDE_US) -> Judged:
    """Run a case in a fresh process and judge it.

    Parameters
    ----------
    timeout : seconds after which the process is ended
    worker : how it is started; `stack_worker` gives that of a stack

    Raises
    ------
    RefusedError
        It failed, or what it left is invalid.
    """
    with tempfile.TemporaryDirectory(prefix="gmixbench-") as scratch:
        record = run_case(job(case, exact), Path(scratch), timeout=timeout, worker=worker)
    if isinstance(record, Failure):
        raise RefusedError([record.message], record.kind)
    judged = judge(record, exact)
    if not judged.verdict.valid:
        raise RefusedError(judged.verdict.reasons)
    return judged


def stack_worker(name: str, locks: Path, folder: Path) -> Worker | None:
    """Worker of a stack that is built, its program packed into `folder`; None where it is not.

    Raises
    ------
    gmixbench.lab.stacks.StackError
        No lock file has that name, or it is damaged.
    """
    if name == HERE:
        return BESIDE_US
    stack = stacks.find(name, locks)
    if building.faults(stack):
        return None
    packed = travel.pack(folder / "worker.pyz").resolve()
    return travel.worker(building.build(stack), packed)

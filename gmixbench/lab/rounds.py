"""Rounds of a history: measure what was planned, score and judge it, keep that and no draws."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gmixbench.lab import history, travel
from gmixbench.lab.execute import Done, Watch, Worker, execute
from gmixbench.lab.planning import Visit
from gmixbench.lab.stacks import Stack
from gmixbench.record import Failure, Record
from gmixbench.ruler.history import Measurement, Release, Session
from gmixbench.ruler.metrics import COMPILING
from gmixbench.ruler.verdict import judge
from gmixbench.spec import Case
from gmixbench.truth.exact import Exact


def measure(
    folder: Path,
    session: Session,
    visits: Sequence[Visit],
    pythons: Mapping[str, Path],
    exact: Exact,
    *,
    timeout: float,
    watch: Watch = lambda _: None,
) -> Iterator[Done]:
    """Measure visit by visit; each case is in the history before it is yielded.

    The cases of one model in one visit share the folder where the library keeps what it compiles:
    from nothing, an engine that writes C++ compiles for a minute. The first of them finds it empty;
    the others tell none of `COMPILING`.

    Parameters
    ----------
    pythons : interpreter of each stack's environment

    Raises
    ------
    OSError
        The folder can't be written.
    KeyboardInterrupt
        Ctrl-C; what was measured stays.
    """
    work = folder / ".work"
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed
    try:
        packed = travel.pack(work / "worker.pyz").resolve()
        of = {case: visit for visit in visits for case in visit.cases}
        cold = set()

        def start(case: Case) -> Worker:
            caches = work / "caches" / f"{case.stack}-{case.model.name}-{case.seed}"
            if not caches.exists():
                shutil.rmtree(caches.parent, ignore_errors=True)  # none before the first visit
                caches.mkdir(parents=True)
                cold.add(case)
            return travel.worker(pythons[case.stack], packed, caches.resolve())

        exacts = {case.dataset: exact for case in of}
        for done in execute(list(of), exacts, work, timeout=timeout, watch=watch, workers=start):
            visit = of[done.case]
            began = datetime.now(UTC) - timedelta(seconds=done.seconds)
            row = measurement(done.record, session, visit, exact, began)
            if done.case not in cold:
                row = _without(row, COMPILING)
            history.append(folder, release(visit.stack), [row])
            shutil.rmtree(work / "runs", ignore_errors=True)  # only room; swept again below
            yield done
    finally:
        shutil.rmtree(work, ignore_errors=True)  # or by the next call, which begins with it


def not_built(session: Session, visits: Sequence[Visit], reason: str) -> list[Measurement]:
    """Record of a stack that can't be had: one failure for each case that it leaves out."""
    return [
        _row(Failure(case, history.NOT_BUILT, reason), session, visit, datetime.now(UTC))
        for visit in visits
        for case in visit.cases
    ]


def release(stack: Stack) -> Release:
    """A stack as a point in its library's history."""
    return Release(
        stack=stack.name,
        ppl=stack.ppl,
        package=stack.package,
        # A checkout has the version of some release, and is not that.
        version=stack.name if stack.sources else stack.version,
        released=stack.released,
        python=stack.python,
        packages=stack.packages,
    )


def measurement(
    record: Record, session: Session, visit: Visit, exact: Exact, began: datetime
) -> Measurement:
    """Score and judge a record; its draws are needed no more."""
    row = _row(record, session, visit, began)
    if isinstance(record, Failure):
        return row
    judged = judge(record, exact)
    verdict = judged.verdict
    strangers = _not_as_locked(record.environment, visit.stack)
    return replace(
        row,
        valid=verdict.valid and not strangers,
        reasons=(*strangers, *verdict.reasons),
        labels=verdict.labels,
        converged=verdict.converged,
        shims=record.shims,
        metrics=judged.scores.finite,
        environment=record.environment,
    )


def _without(row: Measurement, names: Sequence[str]) -> Measurement:
    if row.metrics is None:
        return row
    return replace(row, metrics=row.metrics | dict.fromkeys(names))


def _row(record: Record, session: Session, visit: Visit, began: datetime) -> Measurement:
    return Measurement(
        case=record.case,
        session=session.name,
        round=visit.round,
        began=began.isoformat(timespec="seconds"),
        lock=visit.stack.digest,
        valid=False,
        failure=f"{record.kind}: {record.message}" if isinstance(record, Failure) else None,
    )


def _not_as_locked(environment: Mapping[str, str], stack: Stack) -> list[str]:
    return [
        f"{name} {environment[name]} was measured, {locked} is locked"
        for name, locked in stack.packages.items()
        if environment.get(name, locked) != locked
    ]

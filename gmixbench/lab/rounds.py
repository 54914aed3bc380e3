"""Rounds of a history: which release is measured when, and measuring it.

In each round every stack is visited once, in random order, so that the machine's drift falls on all
alike; each case is a fresh process, and all of a round have one seed.
"""

import math
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from gmixbench.lab import history, store, travel
from gmixbench.lab.execute import Done, Watch, Worker, execute
from gmixbench.lab.stacks import Stack
from gmixbench.record import Failure, Record
from gmixbench.ruler.history import Measurement, Release, Session
from gmixbench.ruler.verdict import judge
from gmixbench.spec import MODELS, PROFILES, Case
from gmixbench.truth.exact import Exact

METHODS = ("nuts", "advi-matched")
"""Unless asked for others: what a library's own ADVI defaults are is not what its speed is."""

ANCHORS = ("pymc-v5.16.2", "pymc-v6.3.2", "numpyro-v0.15.3", "numpyro-v0.21.0")
"""Two of each library, measured again in every session: neither the oldest, which may one day not
be had, nor the newest, which may be locked again; PyMC's are of both its engines, C and Numba."""


COMPILING = ("build_s", "compile_s", "time_to_ess_1000", "total_s", "cpu_s")
"""Metrics that mean what they say only where compilation caches were empty."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a history: rounds 0 to `rounds` - 1 of every combination."""

    stacks: tuple[Stack, ...]
    profile: str
    models: tuple[str, ...]
    methods: tuple[str, ...]
    dataset: str
    rounds: int

    def cases(self, stack: Stack, round_: int) -> list[Case]:
        """Cases of one stack in one round."""
        profile = PROFILES[self.profile]
        return [
            Case(
                self.dataset,
                MODELS[model],
                stack.package,
                method,
                profile.settings(method),
                stack=stack.name,
                seed=round_ + 1,  # PyMC up to 4 refuses 0 for ADVI
            )
            for model in self.models
            for method in self.methods
        ]


@dataclass(frozen=True)
class Visit:
    """Cases of one stack that one round has still to measure."""

    round: int
    stack: Stack
    cases: tuple[Case, ...]


def plan(
    folder: Path,
    header: history.Header,
    wanted: Wanted,
    known: Mapping[str, Stack],
    *,
    retry: bool,
) -> tuple[Session, list[Visit]] | None:
    """Session to measure in, and what is left to do there in its order; `None` if nothing is.

    The last session goes on if it was meant for this, is not finished, and the machine is the same;
    else there is a new one, which measures what is missing and the anchors again.

    Parameters
    ----------
    known : every stack by name, for the anchors
    retry : measure again what failed

    Raises
    ------
    gmixbench.lab.store.FolderError
        An anchor is not there, or is not what it was.
    """
    missing = [
        (stack, round_)
        for stack in wanted.stacks
        for round_ in range(wanted.rounds)
        if _left(folder, wanted.cases(stack, round_), stack, None, retry=retry)
    ]
    if not missing:
        return None
    last = header.sessions[-1] if header.sessions else None
    if last and _meant(last, missing) and _unfinished(folder, last, wanted, known):
        session = last
    else:
        session = _new_session(header, missing, known)
    anchors = {name: _anchor(folder, name, known) for name in session.anchors}
    stacks = {stack.name: stack for stack in wanted.stacks} | anchors
    visits = []
    for round_ in session.rounds:
        order = [stacks[name] for name in session.stacks if name in stacks]
        random.Random(f"{session.name} {round_}").shuffle(order)  # noqa: S311  # an order, no secret
        for stack in order:
            # Anchors tie sessions together: what another session measured of them does not serve.
            only = session.name if stack.name in anchors else None
            left = _left(folder, wanted.cases(stack, round_), stack, only, retry=retry)
            if left:
                visits.append(Visit(round_, stack, tuple(left)))
    return session, visits


def _left(
    folder: Path, cases: Sequence[Case], stack: Stack, session: str | None, *, retry: bool
) -> list[Case]:
    done = {
        row.case
        for row in history.measurements(folder, stack.name)
        if row.lock == stack.digest
        and (session is None or row.session == session)
        and not (retry and row.failure)
    }
    return [case for case in cases if case not in done]


def _meant(session: Session, missing: Sequence[tuple[Stack, int]]) -> bool:
    return session.machine == history.machine() and all(
        stack.name in session.stacks and round_ in session.rounds for stack, round_ in missing
    )


def _unfinished(folder: Path, session: Session, wanted: Wanted, known: Mapping[str, Stack]) -> bool:
    # What is measured after a session's end stands beside no one: it takes a new session.
    for name in session.stacks:
        rows = history.measurements(folder, name)
        done = {row.case for row in rows if row.session == session.name}
        for round_ in session.rounds if name in known else ():
            if not done.issuperset(wanted.cases(known[name], round_)):
                return True
    return False


def _new_session(
    header: history.Header, missing: Sequence[tuple[Stack, int]], known: Mapping[str, Stack]
) -> Session:
    libraries = {stack.name: stack.library for stack, _ in missing}
    if header.sessions:
        before = dict.fromkeys(name for past in header.sessions for name in past.anchors)
        lines = set(libraries.values())
        anchors = [name for name in before if name not in known or known[name].library in lines]
    else:
        anchors = _choose_anchors(libraries)
    now = datetime.now(UTC)
    today = f"{now:%Y-%m-%d}"
    count = sum(session.name.startswith(today) for session in header.sessions)
    return Session(
        name=f"{today}-{count + 1}",
        began=now.isoformat(timespec="seconds"),
        machine=history.machine(),
        anchors=tuple(anchors),
        stacks=tuple(dict.fromkeys([*libraries, *anchors])),
        rounds=tuple(sorted({round_ for _, round_ in missing})),
    )


def _choose_anchors(libraries: Mapping[str, str]) -> list[str]:
    anchors = [name for name in ANCHORS if name in libraries]
    for library in dict.fromkeys(libraries.values()):
        own = [name for name, line in libraries.items() if line == library]
        if not set(own) & set(anchors):
            anchors += dict.fromkeys([own[0], own[-1]])
    return anchors


def _anchor(folder: Path, name: str, known: Mapping[str, Stack]) -> Stack:
    if name not in known:
        raise store.FolderError(f"anchor {name} has no lock file: bring it back, or start anew")
    before = {row.lock for row in history.measurements(folder, name)}
    if before - {known[name].digest}:
        raise store.FolderError(
            f"anchor {name} was locked again since it was measured, so it joins nothing: bring its "
            "lock file back, or start a history in another folder"
        )
    return known[name]


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
        worker = travel.pack(work / "worker.pyz").resolve()
        of = {case: visit for visit in visits for case in visit.cases}
        cold = set()

        def start(case: Case) -> Worker:
            caches = work / "caches" / f"{case.stack}-{case.model.name}-{case.seed}"
            if not caches.exists():
                shutil.rmtree(caches.parent, ignore_errors=True)
                caches.mkdir(parents=True)
                cold.add(case)
            return Worker((str(pythons[case.stack]), str(worker)), caches.resolve())

        exacts = {case.dataset: exact for case in of}
        for done in execute(list(of), exacts, work, timeout=timeout, watch=watch, workers=start):
            visit = of[done.case]
            began = datetime.now(UTC) - timedelta(seconds=done.seconds)
            row = measurement(done.record, session, visit, exact, began)
            if done.case not in cold:
                row = _without(row, COMPILING)
            history.append(folder, release(visit.stack), [row])
            shutil.rmtree(work / "runs", ignore_errors=True)
            yield done
    finally:
        shutil.rmtree(work, ignore_errors=True)


def not_built(session: Session, visits: Sequence[Visit], reason: str) -> list[Measurement]:
    """Record of a stack that can't be had: one failure for each case that it leaves out."""
    return [
        _row(Failure(case, "stack", reason), session, visit, datetime.now(UTC))
        for visit in visits
        for case in visit.cases
    ]


def release(stack: Stack) -> Release:
    """A stack as a point in its library's history."""
    return Release(
        stack=stack.name,
        library=stack.library,
        package=stack.package,
        version=stack.version,
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
    with np.errstate(divide="ignore", invalid="ignore"):  # draws that do not vary have no ESS
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
        metrics={name: _finite(value) for name, value in judged.scores.metrics.items()},
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


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

"""Run cases, each in a fresh process, and keep what they leave."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gmixbench.disk import has_record, move_record, read_cost, read_record, write_job, write_record
from gmixbench.lab import environment, store
from gmixbench.lab.points import Located, density_points, starting_points
from gmixbench.measured.backends import BACKENDS
from gmixbench.measured.protocol import CORE_VARIABLE, NOT_WRITTEN
from gmixbench.record import Cost, Failure, Job, Record
from gmixbench.spec import Case, NutsSettings

POLL = 0.05
"""Seconds between looks at a worker."""

LAST_WORDS = 2000
"""Characters of a worker's standard error that a failure keeps."""

R = TypeVar("R")

Watch = Callable[[float], None]
"""Told the seconds a case has taken so far."""


@dataclass(frozen=True)
class Worker:
    """How a case's worker is started.

    `caches` is where its library keeps what it compiles; a folder of the case's own unless given,
    so that it compiles anew. `withheld` are environment variables that it must not inherit.
    """

    command: Sequence[str]
    caches: Path | None = None
    withheld: Sequence[str] = ()


HERE = Worker((sys.executable, "-m", "gmixbench.measured.worker"))
"""Measures what is installed beside us."""


@dataclass(frozen=True)
class Done:
    """A case that was run, what it left, and the seconds it took."""

    case: Case
    record: Record
    seconds: float


def job(case: Case, exact: Located) -> Job:
    """All that a worker needs to run a case on the data of a posterior."""
    settings = case.settings
    starts, chains = "dispersed", 1
    if isinstance(settings, NutsSettings):
        starts, chains = settings.starts, settings.chains
    return Job(
        case=case,
        x=exact.x,
        starts=starting_points(exact, case.model, starts, chains),
        points=density_points(exact, case.model),
    )


def execute(
    cases: Sequence[Case],
    exacts: Mapping[str, Located],
    out: Path,
    *,
    timeout: float,
    watch: Watch = lambda _: None,
    workers: Callable[[Case], Worker] = lambda _: HERE,
) -> Iterator[Done]:
    """Run cases one after another; each leaves a record in `out` before it is yielded.

    A case that raises, crashes or takes longer than `timeout` seconds leaves a `Failure`, and the
    next one runs.

    Raises
    ------
    OSError
        A record can't be written: the disk is full, or the folder is gone.
    KeyboardInterrupt
        Ctrl-C; the worker is ended first, and finished records stay.
    """
    for case in cases:
        begun = time.monotonic()
        work = job(case, exacts[case.posterior])
        record = run_case(work, out, timeout=timeout, watch=watch, worker=workers(case))
        yield Done(case, record, time.monotonic() - begun)


def run_case(
    work: Job,
    out: Path,
    *,
    timeout: float,
    watch: Watch = lambda _: None,
    worker: Worker = HERE,
) -> Record:
    """Run one job in a fresh process and keep its record in `out`.

    The worker writes into a folder of its own; its record is moved to its place once it is whole,
    so a worker that outlives us can't touch what a later run wrote.

    Raises
    ------
    OSError
        The record can't be written.
    """
    return _kept(read_record, work, out, timeout, watch, worker)


def run_cost(
    work: Job, out: Path, *, timeout: float, watch: Watch = lambda _: None
) -> Cost | Failure:
    """Run one job of gradient calls here, as `run_case` runs others.

    Raises
    ------
    OSError
        The record can't be written.
    """
    return _kept(read_cost, work, out, timeout, watch, HERE)


def _kept(
    read: Callable[[Path], R], work: Job, out: Path, timeout: float, watch: Watch, worker: Worker
) -> R:
    target = store.stem(out, work.case)
    with _scratch(out) as scratch:
        write_job(scratch / "job", work)
        failure = _wait(work.case, scratch, timeout, watch, worker)
        if failure is not None:
            write_record(target, failure)
        else:
            read(scratch / "record")
            move_record(scratch / "record", target)
    return read(target)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    runs = out / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=store.SCRATCH, dir=runs)).resolve()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)  # what is left is swept by the next run


def _wait(
    case: Case, scratch: Path, timeout: float, watch: Watch, worker: Worker
) -> Failure | None:
    variables = environment.measured(worker.caches or scratch)
    for name in worker.withheld:
        variables.pop(name, None)
    if case.backend in BACKENDS and BACKENDS[case.backend].cores == "all":
        variables.pop(CORE_VARIABLE, None)
    with (scratch / "stderr").open("wb") as errors:
        begun = time.monotonic()
        try:
            process = subprocess.Popen(
                [*worker.command, str(scratch / "job"), str(scratch / "record")],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        except FileNotFoundError:
            gone = f"{worker.command[0]} is not there any more"
            return Failure(case, "crash", gone)
        try:
            while process.poll() is None:
                passed = time.monotonic() - begun
                watch(passed)
                if passed > timeout:
                    return Failure(case, "time-out", f"not done after {timeout:g} s")
                time.sleep(POLL)
        finally:
            _end(process)
    return _failure(case, process.returncode, scratch)


def _failure(case: Case, code: int, scratch: Path) -> Failure | None:
    if code == 0 and has_record(scratch / "record"):
        return None
    words = (scratch / "stderr").read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]
    last = words.strip().splitlines()[-1:]
    if code == NOT_WRITTEN:
        raise OSError(*last or ["the worker could not write its record"])
    names = {-number.value: number.name for number in signal.Signals}
    ended = f"the worker ended with {names.get(code, f'exit code {code}')} and left no record"
    return Failure(case, "crash", ": ".join([ended, *last]), words)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    # The whole group, even where the worker itself has ended: a library may have started processes.
    with suppress(ProcessLookupError, PermissionError):  # none is left; macOS: only a zombie is
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()

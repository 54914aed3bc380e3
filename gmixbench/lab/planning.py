"""Plan of a history: what is missing, and in which session and order it is measured.

In each round every stack is visited once, in random order, so that the machine's drift falls on all
alike; each case is a fresh process, and all of a round have one seed.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from gmixbench.lab import history
from gmixbench.lab.stacks import Stack
from gmixbench.lab.store import FolderError
from gmixbench.ruler.history import Session
from gmixbench.spec import MODELS, PROFILES, Case

METHODS = ("nuts", "advi-matched")
"""Unless asked for others: what a library's own ADVI defaults are is not what its speed is."""

ANCHORS = ("pymc-v5.16.2", "pymc-v6.3.2", "numpyro-v0.15.3", "numpyro-v0.21.0")
"""Two of each library, measured again in every session: neither the oldest, which may one day not
be had, nor the newest, which may be locked again; PyMC's are of both its engines, C and Numba."""


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


def missing(folder: Path, wanted: Wanted, *, retry: bool) -> list[tuple[Stack, int]]:
    """Stacks and rounds that have a case left; what could not be built is tried again."""
    return [
        (stack, round_)
        for stack in wanted.stacks
        for round_ in range(wanted.rounds)
        if _left(folder, wanted.cases(stack, round_), stack, None, retry=retry)
    ]


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
        None of a library's anchors is what it was.
    """
    absent = missing(folder, wanted, retry=retry)
    last = header.sessions[-1] if header.sessions else None
    if last and _goes_on(folder, last, absent, wanted, known):
        session = last
    elif absent:
        session = _new_session(folder, header, absent, wanted, known)
    else:
        return None
    anchors = {name: known[name] for name in session.anchors}
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
    # The last session may lack what is not asked for now.
    return (session, visits) if visits else None


def _left(
    folder: Path, cases: Sequence[Case], stack: Stack, session: str | None, *, retry: bool
) -> list[Case]:
    done = {
        row.case
        for row in history.measurements(folder, stack.name)
        if row.lock == stack.digest
        and (session is None or row.session == session)
        and not (history.not_built(row) or (retry and row.failure))
    }
    return [case for case in cases if case not in done]


def _goes_on(
    folder: Path,
    session: Session,
    absent: Sequence[tuple[Stack, int]],
    wanted: Wanted,
    known: Mapping[str, Stack],
) -> bool:
    meant = all(
        stack.name in session.stacks and round_ in session.rounds for stack, round_ in absent
    )
    alike = (session.dataset, session.models, session.methods) == (
        wanted.dataset,
        wanted.models,
        wanted.methods,
    )
    return (
        meant
        and alike
        and session.machine == history.machine()
        and all(_usable(folder, name, known) for name in session.anchors)
        and _unfinished(folder, session, wanted, known)
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
    folder: Path,
    header: history.Header,
    absent: Sequence[tuple[Stack, int]],
    wanted: Wanted,
    known: Mapping[str, Stack],
) -> Session:
    stacks = list(dict.fromkeys(stack.name for stack, _ in absent))
    anchors = []
    for line in dict.fromkeys(stack.ppl for stack, _ in absent):
        own = list(dict.fromkeys(stack.name for stack, _ in absent if stack.ppl == line))
        anchors += _anchors(folder, header, line, own, known)
    now, machine = datetime.now(UTC), history.machine()
    today = f"{now:%Y-%m-%d}"
    count = sum(session.name.startswith(today) for session in header.sessions)
    where = sha256(repr(sorted(machine.items())).encode()).hexdigest()[:4]
    return Session(
        name=f"{today}-{count + 1}-{where}",
        began=now.isoformat(timespec="seconds"),
        machine=machine,
        anchors=tuple(anchors),
        stacks=tuple(dict.fromkeys([*stacks, *anchors])),
        rounds=tuple(sorted({round_ for _, round_ in absent})),
        dataset=wanted.dataset,
        models=wanted.models,
        methods=wanted.methods,
    )


def _anchors(
    folder: Path,
    header: history.Header,
    line: str,
    own: Sequence[str],
    known: Mapping[str, Stack],
) -> list[str]:
    """Anchors of one library: those it had, as far as they are what they were, and up to two."""
    past = dict.fromkeys(name for session in header.sessions for name in session.anchors)
    usable = [name for name in past if _usable(folder, name, known)]
    anchors = [name for name in usable if known[name].ppl == line]
    if not anchors and header.sessions:
        releases = history.read(folder).releases
        lost = [each.stack for each in releases if each.ppl == line and each.stack in past]
        if lost:
            raise FolderError(
                f"{folder}: no lock file of {line}'s anchors ({', '.join(lost)}) is what was "
                "measured, so nothing joins what is there: bring one back, or give another --out"
            )
    # A stack that is new to the history ties nothing together: it comes last.
    named = [name for name in ANCHORS if name in known and known[name].ppl == line]
    chosen = dict.fromkeys([*named, own[0], own[-1]])
    return [*anchors, *(name for name in chosen if name not in anchors)][: max(2, len(anchors))]


def _usable(folder: Path, name: str, known: Mapping[str, Stack]) -> bool:
    locks = {row.lock for row in history.measurements(folder, name)}
    return name in known and locks <= {known[name].digest}

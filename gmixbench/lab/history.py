"""The folder of a history: what was measured of each release, small enough to commit.

`history.json` says what the folder is for and names its sessions; `scores/STACK.json` holds one
release, with a line for each case of each round. The draws are not kept.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmixbench.disk import SCHEMA, TEMPORARY, case_from_dict, case_to_dict, damaged, write_bytes
from gmixbench.lab import travel
from gmixbench.lab.environment import describe
from gmixbench.lab.store import FolderError
from gmixbench.ruler.history import History, Measurement, Release, Session
from gmixbench.spec import Case

SAME = (
    "cpu",
    "cores",
    "platform",
    "machine_id",
    "python",
    "gmixbench",
    "arviz-stats",
    "numpy",
    "scipy",
)
"""What bears on speeds, scores and verdicts besides the releases themselves."""

NOT_BUILT = "stack"
"""Kind of the failure of a stack that can't be had: no fault of the release."""


@dataclass(frozen=True)
class Header:
    """What a history is for: everything in it has this profile; sessions in order of time."""

    profile: str
    sessions: tuple[Session, ...]


def machine() -> dict[str, str]:
    """What must be the same for two sittings to be one session: processor, system and ruler."""
    same = {name: value for name, value in describe().items() if name in SAME}
    return same | {"worker": travel.digest()}


def read_header(folder: Path) -> Header | None:
    """What a folder is for, or `None` where there is no history.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        It can't be read.
    """
    path = folder / "history.json"
    if not path.is_file():
        return None
    try:
        data = _load(path)
        return Header(data["profile"], tuple(map(_session, data["sessions"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error


def clear(folder: Path) -> None:
    """Remove what a killed process left half written; to be called under the folder's lock."""
    for place in (folder, folder / "scores"):
        for path in place.glob(f"{TEMPORARY}*"):
            path.unlink()


def write_header(folder: Path, header: Header) -> None:
    """Write what a folder is for.

    Raises
    ------
    OSError
        It can't be written.
    """
    sessions = [asdict(session) for session in header.sessions]
    content = {"schema": SCHEMA, "profile": header.profile, "sessions": sessions}
    write_bytes(folder / "history.json", (json.dumps(content, indent=1) + "\n").encode())


def read(folder: Path) -> History:
    """Whole history of a folder.

    Raises
    ------
    gmixbench.lab.store.FolderError
        It holds no history.
    gmixbench.disk.DamagedRecordError
        A file can't be read.
    """
    header = read_header(folder)
    if header is None:
        raise FolderError(
            f"{folder} holds no history: it has no history.json; `gmixbench history` makes one"
        )
    paths = sorted(path for path in (folder / "scores").glob("*.json") if path.name[0] != ".")
    found = [_read_scores(path) for path in paths]
    named = {session.name for session in header.sessions}
    for path, (_, own) in zip(paths, found, strict=True):
        strangers = {row.session for row in own} - named
        if strangers:
            raise damaged(path, ValueError(f"history.json has no session {min(strangers)}"))
    releases = [release for release, _ in found]
    releases.sort(key=lambda release: (release.ppl, release.released, release.stack))
    rows = tuple(row for _, own in found for row in own)
    return History(header.profile, tuple(releases), header.sessions, rows)


def measurements(folder: Path, stack: str) -> tuple[Measurement, ...]:
    """What a folder holds of one release.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        Its file can't be read.
    """
    path = _scores(folder, stack)
    return _read_scores(path)[1] if path.exists() else ()


def not_built(row: Measurement) -> bool:
    """Whether nothing was measured because the stack could not be had."""
    return row.failure is not None and row.failure.startswith(f"{NOT_BUILT}: ")


def append(folder: Path, release: Release, new: Sequence[Measurement]) -> None:
    """Add measurements of a release; one of the same case, round and session is replaced.

    What was measured of it under another lock is another release, and goes; so does a failure of
    the same case, whatever its session. That it can't be built any more takes nothing away that was
    measured while it could.

    Raises
    ------
    gmixbench.disk.DamagedRecordError
        Its file can't be read.
    OSError
        It can't be written.
    """
    locks = {row.lock for row in new}
    cases = {row.case for row in new}
    before = [
        row
        for row in measurements(folder, release.stack)
        if row.lock in locks and not (row.failure and row.case in cases)
    ]
    measured = {row.case for row in before if not row.failure}
    told = [row for row in new if not (not_built(row) and row.case in measured)]
    kept = {_place(row): row for row in (*before, *told)}
    rows = ",\n  ".join(json.dumps(_row(row), allow_nan=False) for row in kept.values())
    text = f'{{\n "schema": {SCHEMA},\n "release": {json.dumps(asdict(release), indent=2)},\n'
    text += f' "measurements": [\n  {rows}\n ]\n}}\n'
    write_bytes(_scores(folder, release.stack), text.encode())


def _place(row: Measurement) -> tuple[str, int, Case]:
    return row.session, row.round, row.case


def _scores(folder: Path, stack: str) -> Path:
    return folder / "scores" / f"{stack}.json"


def _read_scores(path: Path) -> tuple[Release, tuple[Measurement, ...]]:
    try:
        data = _load(path)
        return Release(**data["release"]), tuple(map(_measurement, data["measurements"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error


def _load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']} where {SCHEMA} was expected")
    return data


def _session(data: dict[str, Any]) -> Session:
    lists = {
        name: tuple(data[name]) for name in ("anchors", "stacks", "rounds", "models", "methods")
    }
    return Session(**(data | lists))


def _row(row: Measurement) -> dict[str, Any]:
    return asdict(row) | {"case": case_to_dict(row.case)}


def _measurement(data: dict[str, Any]) -> Measurement:
    lists = {name: tuple(data[name]) for name in ("reasons", "shims")}
    return Measurement(**(data | lists | {"case": case_from_dict(data["case"])}))

"""Floors that `noise` found on this machine, kept in the user's cache."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from gmixbench.lab.building import cache
from gmixbench.record import damaged, write_bytes
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.comparison.nouns import Comparison


def keep(comparison: Comparison, floors: Sequence[Floor]) -> Path:
    """Keep floors of what was measured against itself.

    Raises
    ------
    OSError
        They can't be written.
    """
    path = _path(comparison)
    content = {"machine": comparison.machine, "floors": [asdict(each) for each in floors]}
    write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())
    return path


def known(comparison: Comparison) -> tuple[Floor, ...]:
    """Floors of this machine for the backends and tasks of a comparison; none without `noise`.

    Raises
    ------
    gmixbench.record.DamagedRecordError
        They can't be read.
    """
    path = _path(comparison)
    if not path.is_file():
        return ()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        floors = tuple(Floor(**each) for each in data["floors"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error
    names = {task.name for task in comparison.tasks}
    return tuple(each for each in floors if each.task in names)


def _path(comparison: Comparison) -> Path:
    # What a process of a library takes decides how many blocks a budget has.
    backends = sorted({each.backend for each in comparison.variants})
    digest = sha256(repr((sorted(comparison.machine.items()), backends)).encode()).hexdigest()
    return cache() / "noise" / f"{'-'.join(backends)}-{digest[:12]}.json"

"""A baseline that was accepted: scores alone, one small file to commit, with why and when."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from gmixbench.disk import SCHEMA, write_bytes
from gmixbench.lab.gate_own import check_schema
from gmixbench.lab.store import FolderError
from gmixbench.ruler.sides import Key, Replicate, Side


def is_baseline(data: Mapping[str, Any]) -> bool:
    """Whether this is what `write_baseline` leaves."""
    return "accepted" in data and "cases" in data


def read_baseline(path: Path, data: Mapping[str, Any]) -> Side:
    """A baseline as a side, of the kind of the file that it was made of."""
    check_schema(data)
    cases = {
        Key(**case["key"]): tuple(
            Replicate(**{**one, "faults": tuple(one["faults"])}) for one in case["replicates"]
        )
        for case in data["cases"]
    }
    return Side(str(path), data["kind"], tuple(data["machines"]), cases, data["versions"])


def write_baseline(path: Path, side: Side, reason: str, today: date) -> None:
    """Write a baseline; one that stands there is replaced, and told of in the new one.

    Raises
    ------
    gmixbench.lab.store.FolderError
        What stands there is no baseline.
    OSError
        It can't be written.
    """
    cases = [
        {"key": asdict(key), "replicates": [_finite(one) for one in replicates]}
        for key, replicates in side.cases.items()
    ]
    header = {
        "schema": SCHEMA,
        "accepted": today.isoformat(),
        "reason": reason,
        "replaced": _replaced(path),
        "kind": side.kind,
        "machines": side.machines,
        "versions": dict(side.versions),
    }
    # A line for each case, so that a change of one shows as one.
    rows = ",\n  ".join(json.dumps(case, allow_nan=False) for case in cases)
    text = json.dumps(header, indent=1)[:-2] + f',\n "cases": [\n  {rows}\n ]\n}}\n'
    write_bytes(path, text.encode())


def _finite(one: Replicate) -> dict[str, Any]:
    metrics = {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in one.metrics.items()
    }
    return {**asdict(one), "metrics": metrics}


def _replaced(path: Path) -> dict[str, str] | None:
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        data = json.loads(content)
        told = {"accepted": data["accepted"], "reason": data["reason"]}
    except (ValueError, KeyError, TypeError):
        raise FolderError(f"{path} is no baseline, and stays: give another --to") from None
    return {**told, "sha256": hashlib.sha256(content).hexdigest()}

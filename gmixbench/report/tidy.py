"""A history as one tidy table: a row for each case, round and metric."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmixbench.ruler.history import History, Measurement, Release
from gmixbench.ruler.metrics import METRICS

COLUMNS: Mapping[str, type] = {
    "library": str,
    "package": str,
    "version": str,
    "released": str,
    "stack": str,
    "python": str,
    "lock": str,
    "session": str,
    "round": int,
    "seed": int,
    "began": str,
    "profile": str,
    "dataset": str,
    "model": str,
    "backend": str,
    "method": str,
    "likelihood": str,
    "metric": str,
    "unit": str,
    "value": float,
    "valid": bool,
    "labels": str,
    "converged": bool,
    "reasons": str,
    "failure": str,
    "shims": str,
}
"""Name and type of each column; any but those of the case may be empty."""

FORMATS = ("csv", "parquet", "json")


class FormatError(ValueError):
    """A format that is not known, or that a package is missing for."""


def tidy(history: History) -> list[dict[str, Any]]:
    """Rows with the keys of `COLUMNS`, in order of measurement and of `METRICS`.

    Every case has a row for each metric of its method. `value` is `None` where there is none: a
    failure, a metric that the library does not expose, a number that is not finite, and a speed of
    an invalid run. Reasons and shims are joined by "; ".
    """
    releases = {release.stack: release for release in history.releases}
    rows = []
    for item in history.measurements:
        release = releases.get(item.case.stack)
        if release is not None:
            rows += _rows(history.profile, release, item)
    return rows


def _rows(profile: str, release: Release, item: Measurement) -> list[dict[str, Any]]:
    case = item.case
    common = {
        "library": release.ppl,
        "package": release.package,
        "version": release.version,
        "released": release.released,
        "stack": release.stack,
        "python": release.python,
        "lock": item.lock,
        "session": item.session,
        "round": item.round,
        "seed": case.seed,
        "began": item.began,
        "profile": profile,
        "dataset": case.dataset,
        "model": case.model.name,
        "backend": case.backend,
        "method": case.method,
        "likelihood": case.likelihood,
    }
    verdict = {
        "valid": item.valid,
        "labels": item.labels,
        "converged": item.converged,
        "reasons": "; ".join(item.reasons) or None,
        "failure": item.failure,
        "shims": "; ".join(item.shims) or None,
    }
    metrics = item.metrics or {}
    rows = []
    for metric in METRICS.values():
        if metric.concerns(case.method):
            value = metrics.get(metric.name)
            hidden = metric.speed and not item.valid
            shown = None if hidden or value is None or not math.isfinite(value) else float(value)
            told = {"metric": metric.name, "unit": metric.unit, "value": shown}
            rows.append({**common, **told, **verdict})
    return rows


def write_tidy(rows: Sequence[Mapping[str, Any]], path: Path, file_format: str) -> None:
    """Write rows of `tidy` as one file, whole or not at all.

    Parameters
    ----------
    file_format : "csv" (an empty cell is `None`, booleans are true and false), "parquet" or "json"
        (a list of objects)

    Raises
    ------
    FormatError
        The format is not known, or pyarrow is not there for parquet.
    OSError
        The folder can't be written or the disk is full.
    """
    if file_format == "csv":
        content = _csv(rows)
    elif file_format == "json":
        content = (json.dumps(list(rows), indent=0, allow_nan=False) + "\n").encode()
    elif file_format == "parquet":
        content = _parquet(rows)
    else:
        known = ", ".join(FORMATS)
        raise FormatError(f"unknown format {file_format!r}: choose from {known}")
    from gmixbench.disk import write_bytes  # here, so that `FORMATS` can be had without NumPy

    write_bytes(path, content)


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    # repr of a float reads back to the last bit, and csv writes just that.
    return str(value).lower() if isinstance(value, bool) else value


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise FormatError("parquet needs pyarrow: pip install 'gmixbench[parquet]'") from error
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=schema), buffer)
    return buffer.getvalue()

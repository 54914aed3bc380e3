"""A record's way to disk and back.

A record is a pair of files with one stem: `NAME.npz` holds the arrays and `NAME.json` the rest,
the digests of both included. The JSON is written last, so a record exists exactly when its
JSON does; both are written to a temporary file and renamed, so neither is ever half there.
Python 3.6 syntax: the measured side imports this in old interpreters.
"""

import dataclasses
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Tuple, TypeVar, Union

import numpy as np

from gmixbench.record import Cost, Counters, Density, Draws, Failure, Fit, Job, Record, Run, Timing
from gmixbench.spec import (
    DISCRETE,
    FAMILIES,
    MIXTURE,
    Case,
    Mixture,
    Prior,
    Spread,
    settings_kind,
)

SCHEMA = 1

TEMPORARY = ".writing-"
"""How the name of a file begins that is not whole yet."""


Kept = TypeVar("Kept", Run, Cost)


class DamagedRecordError(Exception):
    """A record on disk that can't be read back whole; the message names the file."""


def case_to_dict(case: Case) -> Dict[str, Any]:
    """Nested dictionary of plain JSON types."""
    return dataclasses.asdict(case)


def case_from_dict(data: Dict[str, Any]) -> Case:
    """Inverse of `case_to_dict`."""
    model = dict(data["model"])
    model["prior"] = Prior(**model["prior"])
    if model.get("spread"):
        spread = dict(model["spread"])
        model["spread"] = Spread(**dict(spread, weight=tuple(spread["weight"])))
    kind = settings_kind(data["method"])
    return Case(**dict(data, model=Mixture(**model), settings=kind(**data["settings"])))


def case_key(case: Case) -> str:
    """File stem of a case: readable, and unique through a digest of all its fields."""
    fields = case_to_dict(case)
    if fields["settings"].get("family") == FAMILIES[0]:
        del fields["settings"]["family"]  # what was fitted when there was no other is found again
    if case.model.spread is None:
        del fields["model"]["spread"]  # the same
    words = [case.dataset, case.model.name, case.backend, case.method, case.stack]
    if case.likelihood == MIXTURE:
        del fields["likelihood"]
    else:
        words.insert(-1, case.likelihood)
    text = json.dumps(fields, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return "-".join(words).replace(os.sep, "_") + "-seed{}-{}".format(case.seed, digest)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all: temporary file, then rename.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=TEMPORARY, suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, str(path))
    except BaseException as error:  # Ctrl-C too leaves no half file; it is raised again
        if os.path.exists(name):
            os.unlink(name)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say where it is full
        raise


def _umask() -> int:
    # mkstemp makes files for the owner alone, and the mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one array as `.npy`, whole or not at all.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full.
    """
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def _write_pair(stem: Path, header: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # stubs see an option
    content = buffer.getvalue()
    header = dict(header, schema=SCHEMA, arrays_sha256=hashlib.sha256(content).hexdigest())
    header["sha256"] = _digest(header)
    write_bytes(_with_suffix(stem, ".npz"), content)
    write_bytes(_with_suffix(stem, ".json"), (json.dumps(header, indent=1) + "\n").encode())


def _read_pair(stem: Path) -> Tuple[Dict[str, Any], Dict[str, np.ndarray]]:
    path = _with_suffix(stem, ".json")
    try:
        header = json.loads(path.read_bytes().decode())
        if header["schema"] != SCHEMA:
            raise ValueError("schema {} where {} was expected".format(header["schema"], SCHEMA))
        if header.pop("sha256") != _digest(header):
            raise ValueError("its content does not match its own digest")
        path = _with_suffix(stem, ".npz")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != header["arrays_sha256"]:
            raise ValueError("its content does not match the digest in the JSON beside it")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return header, {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error)


def damaged(path: Path, error: Exception) -> DamagedRecordError:
    """Error that says in one line which file is damaged, and how."""
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, KeyError):
        reason = "it has no {}".format(error)
    return DamagedRecordError("{} is damaged: {}".format(path, reason))


def _digest(header: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def _with_suffix(stem: Path, suffix: str) -> Path:
    # Path.with_suffix would cut a version number such as "v6.4.0" at its last dot.
    return stem.parent / (stem.name + suffix)


def _arrays(prefix: str, value: Any) -> Dict[str, np.ndarray]:
    found = {prefix + field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {name: np.asarray(array) for name, array in found.items() if array is not None}


def _from_arrays(kind: Any, prefix: str, arrays: Dict[str, np.ndarray]) -> Any:
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: arrays.get(prefix + name) for name in names})


def write_job(stem: Path, job: Job) -> None:
    """Write a job for the worker."""
    arrays = {"x": job.x, "starts": job.starts, "points": job.points}
    _write_pair(stem, {"case": case_to_dict(job.case)}, arrays)


def read_job(stem: Path) -> Job:
    """Inverse of `write_job`.

    Raises
    ------
    DamagedRecordError
        A file is missing, cut short or altered.
    """
    header, arrays = _read_pair(stem)
    return Job(case_from_dict(header["case"]), arrays["x"], arrays["starts"], arrays["points"])


def write_record(stem: Path, record: Union[Record, Cost]) -> None:
    """Write a run, a cost or a failure.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full.
    """
    header = {"case": case_to_dict(record.case)}  # type: Dict[str, Any]
    arrays = {}  # type: Dict[str, np.ndarray]
    if isinstance(record, Failure):
        failure = {"kind": record.kind, "message": record.message, "detail": record.detail}
        header["failure"] = failure
    elif isinstance(record, Cost):
        header["timing"] = dataclasses.asdict(record.timing)
        header["environment"] = record.environment
        header["result"] = "cost"
        for name in ("resident", "peak_gradient", "load"):
            header[name] = getattr(record, name)
        arrays = {name: getattr(record, name) for name in ("call_s", "call_cpu_s")}
        arrays.update(_arrays("density_", record.density))
    else:
        header["timing"] = dataclasses.asdict(record.timing)
        header["counters"] = dataclasses.asdict(record.counters)
        header["environment"] = record.environment
        header["shims"] = list(record.shims)
        header["result"] = "draws" if isinstance(record.result, Draws) else "fit"
        if record.density is not None:
            arrays.update(_arrays("density_", record.density))
        arrays.update(_arrays("result_", record.result))
    _write_pair(stem, header, arrays)


def read_record(stem: Path) -> Record:
    """What `write_record` wrote of a run, or of its failure.

    Raises
    ------
    DamagedRecordError
        A file is missing, cut short or altered.
    """
    return _read(stem, _run)


def read_cost(stem: Path) -> Union[Cost, Failure]:
    """What `write_record` wrote of a cost, or of its failure.

    Raises
    ------
    DamagedRecordError
        A file is missing, cut short or altered.
    """
    return _read(stem, _cost)


def _read(
    stem: Path, make: Callable[[Case, Dict[str, Any], Dict[str, np.ndarray]], Kept]
) -> Union[Kept, Failure]:
    header, arrays = _read_pair(stem)
    try:
        case = case_from_dict(header["case"])
        if "failure" in header:
            return Failure(case=case, **header["failure"])
        return make(case, header, arrays)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(_with_suffix(stem, ".json"), error)


def _run(case: Case, header: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> Run:
    known = case.likelihood != DISCRETE
    return Run(
        case=case,
        timing=Timing(**header["timing"]),
        counters=Counters(**header["counters"]),
        density=_from_arrays(Density, "density_", arrays) if known else None,
        result=_from_arrays(Draws if header["result"] == "draws" else Fit, "result_", arrays),
        environment=header["environment"],
        shims=tuple(header["shims"]),
    )


def _cost(case: Case, header: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> Cost:
    return Cost(
        case=case,
        timing=Timing(**header["timing"]),
        density=_from_arrays(Density, "density_", arrays),
        environment=header["environment"],
        resident=header["resident"],
        peak_gradient=header["peak_gradient"],
        load=header["load"],
        call_s=arrays["call_s"],
        call_cpu_s=arrays["call_cpu_s"],
    )


def move_record(source: Path, target: Path) -> None:
    """Move a record, arrays first, so that it is there exactly when it is whole.

    Raises
    ------
    OSError
        The target's folder can't be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".npz", ".json"):
        os.replace(str(_with_suffix(source, suffix)), str(_with_suffix(target, suffix)))


def has_record(stem: Path) -> bool:
    """Whether a finished record stands at `stem`."""
    return _with_suffix(stem, ".json").exists()

"""What a run leaves, and its way to disk and back.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

import numpy as np

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


class DamagedRecordError(Exception):
    """A record on disk that can't be read back whole; the message names the file."""


@dataclass(frozen=True)
class Timing:
    """Wall-clock seconds by phase, CPU seconds and peak memory in bytes of the process tree.

    `None` where the library does not expose a phase. Phases do not overlap. `warmup_s` and
    `sample_s` are sums over chains, or, where chains run at once, the time that they take
    together; `fit_s` is the optimization that ends in a fitted normal. `gradient_s`, no phase, is
    one bare evaluation of log density and gradient in compiled code.
    """

    import_s: Optional[float] = None
    build_s: Optional[float] = None
    compile_s: Optional[float] = None
    warmup_s: Optional[float] = None
    sample_s: Optional[float] = None
    fit_s: Optional[float] = None
    total_s: Optional[float] = None
    cpu_s: Optional[float] = None
    peak_memory: Optional[int] = None
    gradient_s: Optional[float] = None


@dataclass(frozen=True)
class Counters:
    """Gradient evaluations, warm-up and sampling apart, and compilations, over all chains.

    `at_once` is how many chains ran at the same time.
    """

    gradients_warmup: Optional[int] = None
    gradients_sample: Optional[int] = None
    compilations: Optional[int] = None
    at_once: int = 1


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws after warm-up and what the sampler tells of each.

    `means` has shape (chains, draws, 2), in the order the model has them; `others`, shape (chains,
    draws, k), what else is unknown in a general mixture: s1, s2 and theta. `energy` in nats,
    `diverging` and `at_max_treedepth` boolean, and `gradients`, the evaluations that draw took,
    have shape (chains, draws); `seconds`, what each chain's sampling took, has shape (chains,).
    Each is `None` where the library does not tell it.
    """

    means: np.ndarray
    energy: Optional[np.ndarray] = None
    diverging: Optional[np.ndarray] = None
    at_max_treedepth: Optional[np.ndarray] = None
    gradients: Optional[np.ndarray] = None
    seconds: Optional[np.ndarray] = None
    others: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        shape = np.shape(self.means)[:2]
        _check("means", self.means, (*shape, 2))
        if self.others is not None:
            _check("others", self.others, (*shape, *np.shape(self.others)[2:3]))
        for name in ("energy", "diverging", "at_max_treedepth", "gradients"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), shape)
        if self.seconds is not None:
            _check("seconds", self.seconds, shape[:1])

    @property
    def parameters(self) -> np.ndarray:
        """All that is unknown in the model, shape (chains, draws, d), by its `parameters`."""
        if self.others is None:
            return self.means
        return np.concatenate([self.means, self.others], axis=-1)


@dataclass(frozen=True, eq=False)
class Fit:
    """A normal fitted on the unconstrained scale.

    `trace` is ADVI's loss (negative ELBO estimate, nats) at each step, shape (steps,), and `None`
    of another method; `location` has shape (2,), and `cholesky`, the lower factor of its
    covariance, shape (2, 2): diagonal if it is a mean-field one. `means` are draws from it on the
    constrained scale, shape (draws, 2).
    """

    trace: Optional[np.ndarray]
    location: np.ndarray
    cholesky: np.ndarray
    means: np.ndarray

    def __post_init__(self) -> None:
        if self.trace is not None:
            _check("trace", self.trace, (np.size(self.trace),))
        _check("location", self.location, (2,))
        _check("cholesky", self.cholesky, (2, 2))
        _check("means", self.means, (*np.shape(self.means)[:1], 2))


@dataclass(frozen=True, eq=False)
class Density:
    """Log density and gradient as the library computed them, on the unconstrained scale.

    `points` has shape (k, d), `values` (k,), `gradients` (k, d).
    """

    points: np.ndarray
    values: np.ndarray
    gradients: np.ndarray

    def __post_init__(self) -> None:
        shape = np.shape(self.points)[:2]
        _check("points", self.points, (*shape, *(2,)[len(shape) - 1 :]))
        _check("values", self.values, shape[:1])
        _check("gradients", self.gradients, shape)


def _check(name: str, array: Any, shape: Tuple[int, ...]) -> None:
    # A backend is anyone's code: what it gives is looked at once, here, and trusted ever after.
    array = np.asarray(array)
    if array.shape != shape or array.dtype.kind not in "biuf" or array.size == 0:
        wanted = "numbers of shape {} are wanted, not {} of shape {}"
        raise ValueError("{}: ".format(name) + wanted.format(shape, array.dtype, array.shape))


class Measured(NamedTuple):
    """What a backend's sampling or fitting gives: the result, and its own phases and counters."""

    result: Union[Draws, Fit]
    timing: Timing
    counters: Counters
    shims: Tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Job:
    """All a worker needs: the case, the data, where to start and where to check the density.

    `starts` are unconstrained points, shape (chains, d); ADVI starts at the first.
    """

    case: Case
    x: np.ndarray
    starts: np.ndarray
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """A case that was measured. Immutable, so it can be scored again at any time.

    `density` is `None` where labels are sampled, and there alone. `environment` names Python,
    platform and package versions of the measured environment; `shims` the named workarounds the
    backend used there.
    """

    case: Case
    timing: Timing
    counters: Counters
    density: Optional[Density]
    result: Union[Draws, Fit]
    environment: Dict[str, str]
    shims: Tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # What has a density is held against the written one: no run gets around that.
        if (self.density is None) != (self.case.likelihood == DISCRETE):
            told = "no density" if self.density is None else "a density"
            raise ValueError("{} of a {} likelihood".format(told, self.case.likelihood))
        if isinstance(self.result, Draws):
            wanted = self.case.model.parameters
            if self.result.parameters.shape[-1] != len(wanted):
                raise ValueError("draws of {} are wanted".format(", ".join(wanted)))


@dataclass(frozen=True, eq=False)
class Cost:
    """What one evaluation of log density and gradient costs in compiled code.

    `call_s` and `call_cpu_s`, wall clock and CPU seconds of one call, have shape
    (rounds,): each is the mean over the calls of a round. `resident` are the bytes that the process
    held before the model was built, the library and the data included, and `peak_gradient` the most
    that it held while it evaluated; `load` is the machine's load average of one minute then. Each
    is `None` where the system does not tell it. `density` is what was timed, at the job's points.
    """

    case: Case
    timing: Timing
    call_s: np.ndarray
    call_cpu_s: np.ndarray
    resident: Optional[int]
    peak_gradient: Optional[int]
    load: Optional[float]
    density: Density
    environment: Dict[str, str]

    def __post_init__(self) -> None:
        rounds = (np.size(self.call_s),)
        for name in ("call_s", "call_cpu_s"):
            _check(name, getattr(self, name), rounds)


@dataclass(frozen=True)
class Failure:
    """A case that could not be measured.

    `kind` is exception, crash, time-out or missing; or stopped, where it was not tried because it
    would take longer than there was time.
    """

    case: Case
    kind: str
    message: str
    detail: str = ""


Record = Union[Run, Failure]


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
    """Inverse of `write_record`.

    Raises
    ------
    DamagedRecordError
        A file is missing, cut short or altered.
    """
    header, arrays = _read_pair(stem)
    try:
        case = case_from_dict(header["case"])
        if "failure" in header:
            return Failure(case=case, **header["failure"])
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
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(_with_suffix(stem, ".json"), error)


def read_cost(stem: Path) -> Union[Cost, Failure]:
    """What `write_record` wrote of a cost, or of its failure.

    Raises
    ------
    DamagedRecordError
        A file is missing, cut short or altered.
    """
    header, arrays = _read_pair(stem)
    try:
        case = case_from_dict(header["case"])
        if "failure" in header:
            return Failure(case=case, **header["failure"])
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
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(_with_suffix(stem, ".json"), error)


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

"""References on disk, and the long runs that make them.

Those of the package's data sets ship with it; a user's own are found below the current folder, or
where `GMIXBENCH_REFERENCES` says.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from gmixbench.disk import damaged, has_record, read_record, write_bytes
from gmixbench.lab import store
from gmixbench.lab.execute import job, run_case
from gmixbench.record import Failure, Run
from gmixbench.ruler.certify import UncertifiedError, certify
from gmixbench.ruler.score import Posterior
from gmixbench.spec import Case, Dataset, Mixture, NutsSettings
from gmixbench.truth.reference import Reference, digest, find_place, from_dict, to_dict
from gmixbench.truth.solve import solve

FOLDER = Path("references")
"""Where a user's own stand, below the current folder."""

LONG = NutsSettings(chains=8, warmup=2000, draws=40_000, target_accept=0.98)
"""Settings of a long run. Steps are shorter than a run's, so that none diverges."""

BACKENDS = ("numpyro", "blackjax")
"""Libraries that must agree, each with its own model, its own NUTS and its own random numbers."""


class MissingReferenceError(ValueError):
    """There is no reference for what was asked; the message says what makes one."""


def posterior_of(x: np.ndarray, model: Mixture, also: Sequence[Path] = ()) -> Posterior:
    """What judges runs of a model on data: the exact posterior, or a reference.

    Parameters
    ----------
    also : folders to look in for a reference before all others

    Raises
    ------
    gmixbench.truth.cells.UnreachableError
        The exact posterior can't be covered.
    MissingReferenceError
        It is a general mixture and no reference of it on these data is there.
    """
    return solve(x, model) if model.spread is None else find(x, model, also)


def find(x: np.ndarray, model: Mixture, also: Sequence[Path] = ()) -> Reference:
    """Reference of a general mixture on data `x`, shape (n,), whatever the data are called.

    Raises
    ------
    MissingReferenceError
        There is none.
    gmixbench.disk.DamagedRecordError
        A file of its name can't be read.
    """
    name = _name(x, model)
    shipped = Path(str(files("gmixbench") / "references"))
    for place in (*also, shipped, folder()):
        path = place / name
        if path.exists():
            return _read(path, x, model)
    raise MissingReferenceError(
        f"{model.name} has no exact posterior, and no reference on these {len(x)} observations is "
        f"in {folder()}: make one with `gmixbench reference` and the same --dataset or --data"
    )


def posteriors(
    cases: Iterable[Case], data: Mapping[str, np.ndarray], also: Sequence[Path] = ()
) -> dict[str, Posterior]:
    """What judges each case, by its `posterior`; `data` are observations by data set."""
    found: dict[str, Posterior] = {}
    for case in cases:
        if case.posterior not in found:
            found[case.posterior] = posterior_of(data[case.dataset], case.model, also)
    return found


def keep_all(out: Path, found: Mapping[str, Posterior]) -> None:
    """Write the references among posteriors into a run's folder, which is then judged by them."""
    for each in found.values():
        if isinstance(each, Reference):
            keep(out / FOLDER, each)


def folder() -> Path:
    """Folder of a user's own references."""
    return Path(os.environ.get("GMIXBENCH_REFERENCES") or FOLDER)


def keep(place: Path, reference: Reference) -> Path:
    """Write a reference into a folder, under the name that its data and model give it.

    Raises
    ------
    OSError
        It can't be written.
    """
    path = place / _name(reference.x, reference.model)
    write_bytes(path, (json.dumps(to_dict(reference), indent=1) + "\n").encode())
    return path


def cases(
    dataset: Dataset, model: Mixture, backends: Sequence[str], settings: NutsSettings
) -> list[Case]:
    """Long runs that make a reference, each under a seed of its own."""
    return [
        Case(dataset.name, model, backend, "nuts", settings, seed=1000 + k)
        for k, backend in enumerate(backends)
    ]


def work_of(place: Path, dataset: Dataset, model: Mixture) -> Path:
    """Folder below a place for the long runs of a model on data, whatever these are called."""
    return place / ".work" / Path(_name(dataset.x, model)).stem


def make(
    dataset: Dataset,
    wanted: Sequence[Case],
    work: Path,
    *,
    timeout: float,
    watch: Callable[[float], None] = lambda _: None,
) -> Iterator[Run]:
    """Long runs, each in a fresh process; those that `work` holds already are read from there.

    Raises
    ------
    UncertifiedError
        One failed.
    """
    place = find_place(dataset.x, wanted[0].model)
    for case in wanted:
        stem = store.stem(work, case)
        if has_record(stem) and not isinstance(read_record(stem), Failure):
            record = read_record(stem)
        else:
            record = run_case(job(case, place), work, timeout=timeout, watch=watch)
        if isinstance(record, Failure):
            raise UncertifiedError(f"{case.backend} failed ({record.kind}): {record.message}")
        yield record


def certified(dataset: Dataset, runs: Sequence[Run]) -> Reference:
    """Reference of long runs on a data set; see `certify`."""
    return certify(find_place(dataset.x, runs[0].case.model), runs)


def _read(path: Path, x: np.ndarray, model: Mixture) -> Reference:
    try:
        return from_dict(json.loads(path.read_text(encoding="utf-8")), x, model)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, error) from error


def _name(x: np.ndarray, model: Mixture) -> str:
    return f"{model.name}-{digest(x, model)[:16]}.json"

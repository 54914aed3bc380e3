"""The nouns of a comparison of two files: a side, its cases, and what each run told of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Key:
    """What two sides must share to be held against each other; the stack may be what differs.

    `settings` is a text of what the case asked for, the same for the same settings.
    """

    dataset: str
    model: str
    backend: str
    method: str
    settings: str = ""
    stack: str = ""


def label(key: Key) -> str:
    """A case in words, as short as it can be."""
    words = (key.dataset, key.model, key.backend, key.method, key.stack)
    return " ".join(word for word in words if word)


ABSENT = "not in its file"
"""Fault of a run that left nothing where the others left something."""


@dataclass(frozen=True)
class Replicate:
    """One run of a case: its metrics, or why they can't be believed.

    `run` names the sitting it was measured in, the same for all that was measured with it.
    """

    run: str
    seed: int
    metrics: Mapping[str, float | None]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """One side of a comparison: where it was read, of which kind, on what machines.

    `machines` are texts that are the same for the same machine, `versions` are of what was
    measured. `strangers` counts the benchmarks in the file that are not ours, `notes` tell what
    the file leaves open.
    """

    name: str
    kind: str
    machines: tuple[str, ...]
    cases: Mapping[Key, tuple[Replicate, ...]]
    versions: Mapping[str, str] = field(default_factory=dict)
    strangers: int = 0
    notes: tuple[str, ...] = ()

"""What else changed between two environments: the difference of their lock files."""

from collections.abc import Mapping, Sequence

PROJECTS = (
    ("pymc3", "pymc"),
    ("numpyro",),
    ("theano", "theano-pymc", "aesara", "pytensor"),
    ("jax",),
    ("jaxlib",),
    ("python",),
    ("numpy",),
    ("scipy",),
    ("numba",),
    ("llvmlite",),
)
"""What most often explains a change, in the order it is told, each by all names it ever had."""

STEPS = (
    ("theano", "theano-pymc", "aesara", "pytensor"),
    ("jax", "jaxlib"),
    ("numpy",),
    ("scipy",),
    ("numba", "llvmlite"),
    ("python",),
)
"""What is exchanged together where the steps between two stacks are told apart, in that order.

A package and its other half can't be told apart. Python comes last: a new one seldom runs the
packages of an older one, which run on it in their new versions."""


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Versions that differ, "numpy 1.26.4 → 2.1.3", the telling ones first.

    A project that was renamed stands once: "aesara 2.8.7 → pytensor 2.8.11". What only one of the
    two has is "none" in the other.

    Parameters
    ----------
    old, new : package -> version, Python among them
    """
    known = {name for names in PROJECTS for name in names}
    others = [(name,) for name in sorted({*old, *new} - known)]
    texts = (_text(names, old, new) for names in (*PROJECTS, *others))
    return tuple(text for text in texts if text)


def short(texts: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more there are."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def _text(names: tuple[str, ...], old: Mapping[str, str], new: Mapping[str, str]) -> str | None:
    was = next((name for name in names if name in old), None)
    now = next((name for name in names if name in new), None)
    if was is None:
        return None if now is None else f"{now} none → {new[now]}"
    if now is None:
        return f"{was} {old[was]} → none"
    if was != now:
        return f"{was} {old[was]} → {now} {new[now]}"
    return None if old[was] == new[now] else f"{was} {old[was]} → {new[now]}"

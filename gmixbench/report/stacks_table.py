"""Stacks as a table for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from gmixbench.report.numbers import MISSING


@dataclass(frozen=True)
class Listed:
    """A row: a stack, what it holds, and the bytes of its environment, `None` unless built.

    `own` are the bytes that no other environment and no cache shares.
    """

    name: str
    released: str
    python: str
    cutoff: str
    engine: str
    bytes: int | None
    own: int | None


def stacks_table(rows: Sequence[Listed]) -> Table:
    """One row a stack, in the order given."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("stack", "released", "Python", "cut-off"):
        table.add_column(title, no_wrap=True)
    table.add_column("engine")
    for title in ("size", "own"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        size = "not built" if row.bytes is None else megabytes(row.bytes)
        own = MISSING if row.own is None else megabytes(row.own)
        words = (row.name, row.released, row.python, row.cutoff, row.engine, size, own)
        table.add_row(*words)
    return table


def engine(packages: Mapping[str, str]) -> str:
    """What compiles the models of a stack, with its version."""
    for name in ("pytensor", "aesara", "theano-pymc", "theano", "jax"):
        if name in packages:
            return f"{name} {packages[name]}"
    return MISSING


def megabytes(size: int) -> str:
    """A size in words: "512 MB", "1.2 GB"."""
    if size < 1e9:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB"

"""When to look at the blocks, and what each look may cost of the error that is allowed.

Looking again and again until something shows would find something. So there are looks at numbers
of blocks that are fixed beforehand, each with a share of the error; the shares add up to one over
endless looks, and by the union bound the whole holds however often one looks, and wherever one
stops: a longer budget, or a call that goes on, costs nothing. The looks are spread geometrically,
so that few are needed (Darling and Robbins 1967; Howard et al. 2021, section 3.1, "stitching";
for error spending: Lan and DeMets 1983).
"""

from collections.abc import Iterator
from itertools import takewhile

FIRST = 13
"""Blocks at the first look: with fewer, no sum of ranks is rare enough for nine metrics at 1 %."""

GROWTH = 1.25
"""Factor from one look to the next."""


def looks(blocks: int) -> list[int]:
    """Numbers of blocks at which to look, up to `blocks`."""
    return [*takewhile(lambda look: look <= blocks, _endless())]


def following(blocks: int) -> int:
    """Number of blocks at the first look beyond `blocks`."""
    return next(look for look in _endless() if look > blocks)


def share(look: int) -> float:
    """Share of the error that a look may spend, the first being 0; all together 1."""
    return 1.0 / ((look + 1) * (look + 2))


def _endless() -> Iterator[int]:
    look = FIRST
    while True:
        yield look
        look = int(look * GROWTH)

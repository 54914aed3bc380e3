"""ArviZ's statistics of arrays, when they are first needed, and without the JAX they bring in.

ArviZ takes a second or two to load, which commands that judge nothing need not wait for. It leaves
a stand-in of JAX among the loaded modules, to be loaded when it is first used. SciPy takes that for
JAX and asks it whether an array is one of its own: so each command would load JAX, for half a
second or more, and with it a hook in the garbage collector that can lose a Ctrl-C.
"""

import sys
from functools import cache
from typing import Any


@cache
def array_stats() -> Any:
    """ArviZ's functions of plain arrays."""
    from arviz_stats.base import array_stats as functions

    if type(sys.modules.get("jax")).__name__ == "_LazyModule":  # not where JAX was asked for
        del sys.modules["jax"]
    return functions

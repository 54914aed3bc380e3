"""ArviZ's statistics of arrays, without the JAX that they would bring in.

ArviZ leaves a stand-in of JAX among the loaded modules, to be loaded when it is first used. SciPy
takes that for JAX and asks it whether an array is one of its own: so each command would load JAX,
for half a second or more, and with it a hook in the garbage collector that can lose a Ctrl-C.
"""

import sys

from arviz_stats.base import array_stats

__all__ = ["array_stats"]

if type(sys.modules.get("jax")).__name__ == "_LazyModule":  # not where JAX was asked for
    del sys.modules["jax"]

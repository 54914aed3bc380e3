"""The libraries that are measured, one module each, behind one contract."""

import importlib
from typing import TYPE_CHECKING, Any, Dict, Tuple

BACKENDS: Dict[str, str] = {
    "pymc": "gmixbench.measured.backends.pymc",
    "pymc3": "gmixbench.measured.backends.pymc3",
    "numpyro": "gmixbench.measured.backends.numpyro",
    "exact": "gmixbench.truth.oracle",
}
"""Module of each backend by name. Modules are named, not imported: loading one is what costs."""

INSTALL: Dict[str, str] = {
    "pymc": "pip install 'gmixbench[pymc]'",
    "pymc3": "gmixbench stacks build pymc3-v3.11.5",
    "numpyro": "pip install 'gmixbench[numpyro]'",
    "exact": "pip install gmixbench",
}
"""Command that installs what a backend imports."""


if TYPE_CHECKING:
    from typing import Callable, Protocol

    import numpy as np

    from gmixbench.record import Density, Job, Measured

    class Backend(Protocol):
        """Contract of a backend module: plain functions, no state between them.

        `PACKAGES` are the distributions whose versions the record names.
        """

        PACKAGES: Tuple[str, ...]

        def build(self, job: Job) -> Any:
            """Library's own model object of the job's mixture and data; nothing compiled yet."""
            ...

        def evaluator(self, model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
            """Log density and gradient at an unconstrained point, shape (2,), compiled already.

            What it gives is in float64, in arrays of the library's own kind, and there when it
            returns: a harness times its calls.
            """
            ...

        def density(self, model: Any, points: np.ndarray) -> Density:
            """Log density and gradient at unconstrained points, shape (k, 2)."""
            ...

        def sample(self, model: Any, job: Job) -> Measured:
            """NUTS draws with `compile_s`, `warmup_s` and `sample_s` told apart."""
            ...

        def fit_advi(self, model: Any, job: Job) -> Measured:
            """Mean-field ADVI with `compile_s` and `fit_s` told apart."""
            ...


def load(name: str) -> "Backend":
    """Backend by its name in `BACKENDS`, or by the dotted path of a module of one's own.

    Raises
    ------
    ImportError
        The library, or the module, is not installed.
    """
    module: Any = importlib.import_module(BACKENDS.get(name, name))
    return module  # type: ignore[no-any-return]  # a module satisfies the Protocol by its functions

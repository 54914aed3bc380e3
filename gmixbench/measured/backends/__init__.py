"""The libraries that are measured, one module each, behind one contract."""

import importlib
from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional, Tuple

from gmixbench.spec import ADVI_METHODS, ENUMERATED, LIKELIHOODS, LOGSUMEXP, METHODS, MIXTURE, Case


class Known(NamedTuple):
    """A backend that ships: its module, the distributions it needs, and what installs them.

    `cores` is how many its process may use: "one", as all that is to be compared by time, or "all".
    `methods` and `likelihoods` are those that it knows. `gradient` is the backend whose compiled
    gradient it has, if it has none of its own. `sampler` is the library whose NUTS it is, where
    that is not its name.
    """

    module: str
    packages: Tuple[str, ...]
    install: str
    cores: str = "one"
    methods: Tuple[str, ...] = ("nuts",)
    gradient: Optional[str] = None
    sampler: Optional[str] = None
    likelihoods: Tuple[str, ...] = (MIXTURE,)


_HERE = "gmixbench.measured.backends"
_NUTPIE = "pip install 'gmixbench[nutpie]'"
_PYMC = "pip install 'gmixbench[pymc]'"
_PYMC_JAX = "pip install 'gmixbench[pymc,numpyro]'"
_PYMC_BLACKJAX = "pip install 'gmixbench[pymc,blackjax]'"
_NUMPYRO = "pip install 'gmixbench[numpyro]'"
_ADVI = ("nuts", *ADVI_METHODS)
_MARGINAL = (MIXTURE, LOGSUMEXP, ENUMERATED)

BACKENDS: Dict[str, Known] = {
    # PyMC's default mode is Numba's or C's, by its version.
    "pymc": Known(
        f"{_HERE}.pymc",
        ("pymc",),
        _PYMC,
        methods=METHODS,
        gradient="pymc-numba",
        likelihoods=LIKELIHOODS,
    ),
    "pymc-c": Known(
        f"{_HERE}.pymc_c",
        ("pymc",),
        _PYMC,
        methods=METHODS,
        sampler="pymc",
        likelihoods=LIKELIHOODS,
    ),
    "pymc-numba": Known(
        f"{_HERE}.pymc_numba",
        ("pymc", "numba"),
        _PYMC,
        methods=METHODS,
        sampler="pymc",
        likelihoods=LIKELIHOODS,
    ),
    "pymc-jax": Known(
        f"{_HERE}.pymc_jax",
        ("pymc", "jax"),
        _PYMC_JAX,
        methods=METHODS,
        sampler="pymc",
        likelihoods=LIKELIHOODS,
    ),
    "pymc-nutpie": Known(
        f"{_HERE}.pymc_nutpie",
        ("pymc", "nutpie"),
        _NUTPIE,
        gradient="pymc-numba",
        sampler="nutpie",
        likelihoods=_MARGINAL,
    ),
    "pymc-numpyro": Known(
        f"{_HERE}.pymc_numpyro",
        ("pymc", "numpyro"),
        _PYMC_JAX,
        sampler="numpyro",
        likelihoods=_MARGINAL,
    ),
    "pymc-blackjax": Known(
        f"{_HERE}.pymc_blackjax",
        ("pymc", "blackjax"),
        _PYMC_BLACKJAX,
        methods=("nuts", "pathfinder"),
        gradient="pymc-numpyro",
        sampler="blackjax",
        likelihoods=_MARGINAL,
    ),
    "pymc3": Known(
        f"{_HERE}.pymc3", ("pymc3",), "gmixbench stacks build pymc3-v3.11.5", methods=_ADVI
    ),
    "nutpie": Known(
        f"{_HERE}.nutpie",
        ("nutpie", "pymc", "numba"),
        _NUTPIE,
        gradient="pymc-numba",
        likelihoods=_MARGINAL,
    ),
    "nutpie-jax": Known(
        f"{_HERE}.nutpie_jax",
        ("nutpie", "pymc", "jax"),
        _NUTPIE,
        gradient="pymc-jax",
        sampler="nutpie",
        likelihoods=_MARGINAL,
    ),
    "nutpie-flow": Known(
        f"{_HERE}.nutpie_flow",
        ("nutpie", "pymc", "flowjax"),
        _NUTPIE,
        gradient="pymc-numpyro",
        sampler="nutpie",
        likelihoods=_MARGINAL,
    ),
    "numpyro": Known(
        f"{_HERE}.numpyro",
        ("numpyro",),
        _NUMPYRO,
        methods=(*_ADVI, "laplace"),
        likelihoods=LIKELIHOODS,
    ),
    "numpyro-parallel": Known(
        f"{_HERE}.numpyro_parallel",
        ("numpyro",),
        _NUMPYRO,
        "all",
        methods=_ADVI,
        gradient="numpyro",
        sampler="numpyro",
        likelihoods=_MARGINAL,
    ),
    "numpyro-vectorized": Known(
        f"{_HERE}.numpyro_vectorized",
        ("numpyro",),
        _NUMPYRO,
        methods=_ADVI,
        gradient="numpyro",
        sampler="numpyro",
        likelihoods=_MARGINAL,
    ),
    "blackjax": Known(
        f"{_HERE}.blackjax",
        ("blackjax",),
        "pip install 'gmixbench[blackjax]'",
        methods=("nuts", "pathfinder"),
        likelihoods=(MIXTURE, LOGSUMEXP),
    ),
    "exact": Known(
        "gmixbench.truth.oracle",
        (),
        "pip install gmixbench",
        methods=METHODS,
        likelihoods=LIKELIHOODS,
    ),
}
"""Backends by name. Modules are named, not imported: loading one is what costs."""

FUNCTIONS = {"nuts": "sample", "pathfinder": "fit_pathfinder", "laplace": "fit_laplace"}
"""Function of a backend that does the work of a method; of all others it is `fit_advi`."""


if TYPE_CHECKING:
    from typing import Callable, Protocol

    import numpy as np

    from gmixbench.record import Density, Job, Measured

    class Backend(Protocol):
        """Contract of a backend module: plain functions, no state between them.

        `PACKAGES` are the distributions whose versions the record names, `LIKELIHOODS` the forms
        that `build` knows; a module without them is asked for `MIXTURE` alone. More functions are
        for those that can: `bare_gradient(model, point)` tells the seconds of an evaluation of log
        density and gradient in a compiled loop that does nothing else; `fit_pathfinder` and
        `fit_laplace`, called as `fit_advi` is, give the normal from which the library draws.
        """

        PACKAGES: Tuple[str, ...]
        LIKELIHOODS: Tuple[str, ...]

        def build(self, job: Job) -> Any:
            """Library's own model object of the job's mixture and data; nothing compiled yet.

            Its likelihood is written in the form that the case asks for.
            """
            ...

        def evaluator(self, model: Any) -> Callable[[np.ndarray], Tuple[Any, Any]]:
            """Log density and gradient at an unconstrained point, shape (d,), compiled already.

            What it gives is in float64, in arrays of the library's own kind, and there when it
            returns: a harness times its calls.
            """
            ...

        def density(self, model: Any, points: np.ndarray) -> Density:
            """Log density and gradient at unconstrained points, shape (k, d)."""
            ...

        def sample(self, model: Any, job: Job) -> Measured:
            """NUTS draws with `compile_s`, `warmup_s` and `sample_s` told apart."""
            ...

        def fit_advi(self, model: Any, job: Job) -> Measured:
            """ADVI, of the family that the settings name, with `compile_s` and `fit_s` apart."""
            ...


def load(name: str) -> "Backend":
    """Backend by its name in `BACKENDS`, or by the dotted path of a module of one's own.

    Raises
    ------
    ImportError
        The library, or the module, is not installed.
    """
    module: Any = importlib.import_module(BACKENDS[name].module if name in BACKENDS else name)
    return module  # type: ignore[no-any-return]  # a module satisfies the Protocol by its functions


def known_likelihoods(backend: "Backend") -> Tuple[str, ...]:
    """Forms of the likelihood that a backend knows."""
    return getattr(backend, "LIKELIHOODS", (MIXTURE,))


def bare_gradient(backend: "Backend", model: Any, point: "np.ndarray") -> Optional[float]:
    """Seconds of a gradient and nothing else; `None` where a backend doesn't tell."""
    told = getattr(backend, "bare_gradient", None)
    return None if told is None else float(told(model, point))


def knows(backend: str, method: str) -> bool:
    """Whether a backend has a method; one that does not ship may, and says so when it is run."""
    return backend not in BACKENDS or method in BACKENDS[backend].methods


def writes(backend: str, likelihood: str) -> bool:
    """Whether a backend writes a likelihood in a form; one that does not ship is asked when run."""
    return backend not in BACKENDS or likelihood in BACKENDS[backend].likelihoods


def gradient_of(backend: str) -> str:
    """Backend whose compiled gradient a backend has: its own, unless it is a route of another."""
    known = BACKENDS.get(backend)
    return backend if known is None or known.gradient is None else known.gradient


def sampler_of(backend: str) -> str:
    """Library whose NUTS a backend is."""
    known = BACKENDS.get(backend)
    return backend if known is None or known.sampler is None else known.sampler


def work_of(backend: "Backend", case: Case) -> "Callable[[Any, Job], Measured]":
    """Function of a backend that does the work of a case.

    Raises
    ------
    NotImplementedError
        There is none.
    """
    work = getattr(backend, FUNCTIONS.get(case.method, "fit_advi"), None)
    if work is None:
        raise NotImplementedError("{} has no {}".format(case.backend, case.method))
    return work  # type: ignore[no-any-return]  # the Protocol says what it is


def install_of(case: Case) -> str:
    """Command that installs what a case of a backend that ships needs."""
    known = BACKENDS[case.backend]
    install = known.install
    fits = case.method in ("pathfinder", "laplace")
    if fits and "pymc" in known.packages and "blackjax" not in known.packages:
        install += " && pip install pymc-extras"
    if case.likelihood == ENUMERATED:
        install += " && pip install 'gmixbench[enumerated]'"
    return install

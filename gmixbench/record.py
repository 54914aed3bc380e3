"""What a run leaves: the nouns of the measured side, which `disk` writes and reads.

Python 3.6 syntax: the measured side imports this in old interpreters.
"""

from dataclasses import dataclass
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

import numpy as np

from gmixbench.spec import DISCRETE, Case


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

    `kind` is exception, crash, time-out or missing; stopped, where it was not tried because it
    would take longer than there was time; or damaged, where what it left can't be read back.
    """

    case: Case
    kind: str
    message: str
    detail: str = ""


Record = Union[Run, Failure]

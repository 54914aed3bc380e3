"""What PyMC 4.0 to 6.4 lack, or call by other names, and what is done instead.

Nothing here mends a density. PyMC 4.0.0 to 5.8.0 count the Jacobian of the ordering transform once
for each mean (mended in 5.8.1, pull request 6903): they sample a wrong posterior of the ordered
model, and that must be seen.
"""

import inspect
from typing import Any, Dict, Tuple

import numpy as np
import pymc as pm

from gmixbench.spec import Case

FLOAT64_CONSTANTS = "float64-constants"
"""In 5.11 to 6.4 (2024-03-15 to 2026-11-01): PyTensor keeps a Python float that float32 holds
exactly, such as a prior scale of 10.0, as float32 and takes its logarithm there, which puts the
log density off by 3e-8; before, PyMC made it a float64 itself. So each constant of the model goes
in as a NumPy float64, in every version.
"""

UNIVARIATE_ORDERED = "univariate-ordered"
"""In 5.0.0 to 5.8.0 (2022-12 to 2023-09): instead of `ordered` there were `univariate_ordered`, for
a variable such as ours whose elements have a density each, and `multivariate_ordered`.
"""

SEPARATE_INPUTS = "separate-inputs"
"""In 4.0 to 5.18 (2022-06-20 to 2024-11-18): the compiled log density takes each variable by
itself and knows no `ravel_inputs`. With one variable that is the same; with several a point is cut.
"""

NO_OTHER_NUTS = "no-other-nuts"
"""In 4.0 to 5.0 (2022-06-20 to 2023-01-19): `pm.sample` has PyMC's own NUTS alone, and knows no
`nuts_sampler`.
"""

DEPTH_FROM_STEPS = "depth-from-steps"
"""In 4.0 to 4.2 (2022-06-20 to 2022-10-10): no statistic says that a tree was cut short. One of
full depth has this many leapfrog steps.
"""

INITIAL_SCALE = "initial-scale"
"""In 4.0 and 4.1 (2022-06-20 to 2022-08-26): ADVI takes a start but no initial scale, says nothing
of a `start_sigma`, and begins at log 2. So the variable that holds the scale is set before the
first step.
"""


def _takes(function: Any, parameter: str) -> bool:
    return parameter in inspect.signature(function).parameters


_version = tuple(int(part) for part in pm.__version__.split(".")[:2])

NEEDED: Dict[str, bool] = {
    FLOAT64_CONSTANTS: _version >= (5, 11),
    UNIVARIATE_ORDERED: not hasattr(pm.distributions.transforms, "ordered"),
    SEPARATE_INPUTS: not _takes(pm.Model.logp_dlogp_function, "ravel_inputs"),
    NO_OTHER_NUTS: not _takes(pm.sample, "nuts_sampler"),
    DEPTH_FROM_STEPS: _version < (4, 3),
    INITIAL_SCALE: not _takes(pm.fit, "start_sigma"),
}
"""Whether the version at hand needs each shim."""


def in_force(case: Case) -> Tuple[str, ...]:
    """Names of the shims that a case runs with in the version at hand."""
    met = {
        UNIVARIATE_ORDERED: case.model.ordered,
        NO_OTHER_NUTS: case.method == "nuts",
        DEPTH_FROM_STEPS: case.method == "nuts",
        INITIAL_SCALE: case.method == "advi-matched",
    }
    return tuple(name for name, needed in NEEDED.items() if needed and met.get(name, True))


def ordered() -> Any:
    """Ordering transform."""
    if NEEDED[UNIVARIATE_ORDERED]:
        return pm.distributions.transforms.univariate_ordered
    return pm.distributions.transforms.ordered


def logp_dlogp_function(model: Any) -> Any:
    """Compiled log density and gradient; takes a list of one point, shape (2,)."""
    if NEEDED[SEPARATE_INPUTS]:
        return model.logp_dlogp_function()
    return model.logp_dlogp_function(ravel_inputs=True)


def own_nuts() -> Dict[str, str]:
    """Argument of `pm.sample` that asks for PyMC's own NUTS."""
    return {} if NEEDED[NO_OTHER_NUTS] else {"nuts_sampler": "pymc"}


def reached_max_treedepth(statistics: Any, max_treedepth: int) -> np.ndarray:
    """Whether each draw's tree was cut short; shape (chains, draws)."""
    if NEEDED[DEPTH_FROM_STEPS]:
        return np.asarray(statistics["n_steps"].values >= 2**max_treedepth - 1)
    return np.asarray(statistics["reached_max_treedepth"].values, dtype=bool)


def advi(model: Any, start: np.ndarray, scale: float, seed: int) -> Any:
    """`pm.ADVI` that starts at means of shape (2,), with a scale on the unconstrained scale."""
    if NEEDED[INITIAL_SCALE]:
        found = pm.ADVI(start={"means": start}, random_seed=seed)
        # PyMC's scale is softplus(rho).
        found.approx.params_dict["rho"].set_value(np.full(2, np.log(np.expm1(scale))))
        return found
    by_name = {model.value_vars[0].name: scale}
    return pm.ADVI(start={"means": start}, start_sigma=by_name, random_seed=seed)

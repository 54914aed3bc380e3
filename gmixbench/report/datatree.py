"""A run in the form that ArviZ, xarray and NetCDF know."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from arviz_base import from_dict

from gmixbench.disk import case_to_dict
from gmixbench.record import Draws, Fit, Run


def to_datatree(run: Run) -> Any:
    """Convert a run to an ArviZ `DataTree`, whose `to_netcdf` writes it as one file.

    Parameters
    ----------
    run : of any backend, as `gmixbench.disk.read_record` gives it

    Returns
    -------
    xarray.DataTree
        `posterior` holds `means` with dimensions (chain, draw, mean), and their label-free form
        `smaller` and `larger` with dimensions (chain, draw); of a general mixture `sigmas` (chain,
        draw, component) and `theta` too. NUTS: `sample_stats` holds what the
        library told of `energy`, `diverging`, `reached_max_treedepth` and `gradients`, the gradient
        evaluations of each draw. A fit: the draws of the approximation are one chain, and
        `fit_data` holds `location`, `cholesky` and, of ADVI, `loss` by step. Attributes `case`,
        `timing`, `environment` and `shims` are JSON.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gmixbench.record import read_record
    >>> from gmixbench.report.datatree import to_datatree
    >>> stem = Path("results/mine/runs/close-ordered-pymc-nuts-here-seed0-1a2b3c4d")
    >>> to_datatree(read_record(stem)).to_netcdf("run.nc")  # doctest: +SKIP
    """
    result = run.result
    means = result.means if isinstance(result, Draws) else result.means[None]
    drawn = {"means": means, "smaller": means.min(axis=-1), "larger": means.max(axis=-1)}
    if isinstance(result, Draws) and result.others is not None:
        drawn |= {"sigmas": result.others[..., :2], "theta": result.others[..., 2]}
    groups = {
        "posterior": drawn,
        **(_statistics(result) if isinstance(result, Draws) else _fit(result)),
    }
    told = {
        "case": case_to_dict(run.case),
        "timing": asdict(run.timing),
        "environment": run.environment,
        "shims": run.shims,
    }
    return from_dict(
        groups,
        coords={"mean": ["m1", "m2"], "component": [1, 2], "coordinate": [0, 1]},
        dims={
            "means": ["mean"],
            "sigmas": ["component"],
            "loss": ["step"],
            "location": ["coordinate"],
            "cholesky": ["coordinate", "coordinate_of_factor"],
        },
        attrs={"/": {name: json.dumps(value) for name, value in told.items()}},
    )


def _statistics(draws: Draws) -> dict[str, dict[str, np.ndarray]]:
    told = {
        "energy": draws.energy,
        "diverging": draws.diverging,
        "reached_max_treedepth": draws.at_max_treedepth,
        "gradients": draws.gradients,
    }
    known = {name: values for name, values in told.items() if values is not None}
    return {"sample_stats": known} if known else {}


def _fit(fit: Fit) -> dict[str, dict[str, np.ndarray]]:
    traced = {} if fit.trace is None else {"loss": fit.trace}
    return {"fit_data": {**traced, "location": fit.location, "cholesky": fit.cholesky}}

"""Options that commands share, and how they are read."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gmixbench.cli.exits import UsageError
from gmixbench.measured.backends import BACKENDS
from gmixbench.spec import (
    ALL_MODELS,
    DEFAULT_DATASET,
    DISCRETE,
    GENERAL,
    LIKELIHOODS,
    METHODS,
    MIXTURE,
    MODELS,
    Dataset,
    Mixture,
)

console = Console()

DEFAULT_BACKENDS = ("pymc", "numpyro")

ALL = "all"
EVERY = [name for name in BACKENDS if name not in {"pymc3", "exact"}]

Data = Annotated[Path | None, typer.Option(help="CSV with one column of observations.")]
Sigma = Annotated[float, typer.Option(help="Standard deviation of both components.")]
PriorScale = Annotated[
    float, typer.Option(help="Standard deviation of the means' normal prior, whose mean is 0.")
]

Locks = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of lock files; $GMIXBENCH_STACKS, or benchmarks/stacks."
    ),
]


def mixture_of(sigma: float, prior_scale: float) -> Mixture:
    """Mixture of a standard deviation and a prior scale; `model_of` gives it its name."""
    positive("--sigma", sigma)
    positive("--prior-scale", prior_scale)
    model = MODELS["ordered"]
    return replace(model, sigma=sigma, prior=replace(model.prior, scale=prior_scale))


def positive(option: str, value: float) -> None:
    """Refuse a number that is not positive."""
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{option} {value:g}: a positive number is wanted")


def probability(option: str, value: float) -> None:
    """Refuse a number that is no probability, or leaves nothing to chance."""
    if not 0 < value < 1:
        raise UsageError(f"{option} {value:g}: give a probability between 0 and 1")


def share_of(option: str, text: str) -> float:
    """Share that a text tells: "5%" or "0.05"."""
    number, percent, rest = text.strip().partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if rest or not 0 < share < 1:
        raise UsageError(f"{option} {text}: give a share between 0 and 1, as 5% or 0.05")
    return share


def seconds_of(option: str, text: str) -> float:
    """Seconds that a text tells: "90s", "10m" or "1.5h"."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    try:
        seconds = float(number) * {"s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    except (ValueError, KeyError):
        seconds = -1.0
    if not 0 < seconds < math.inf:
        raise UsageError(f"{option} {text}: give a time as 90s, 10m or 1.5h")
    return seconds


def model_of(name: str, mixture: Mixture) -> Mixture:
    """A mixture as the model of that name; a general one has priors of its own."""
    if name in GENERAL:
        if mixture != MODELS["ordered"]:
            raise UsageError(f"{name} has priors of its own: leave --sigma and --prior-scale out")
        return GENERAL[name]
    return replace(mixture, name=name, ordered=MODELS[name].ordered)


def datasets_of(names: list[str] | None, data: Path | None) -> list[Dataset]:
    """Data sets by name, or the one in a file."""
    from gmixbench.lab import datasets

    if data is None:
        return [datasets.load(name) for name in dict.fromkeys(names or [DEFAULT_DATASET])]
    if names:
        raise UsageError("give --dataset or --data, not both")
    return [datasets.read(data)]


def models_of(values: list[str] | None) -> list[str]:
    """Models by name; those of two means where none is given."""
    return all_of("model", values or list(MODELS), ALL_MODELS)


def methods_of(
    values: list[str] | None,
    default: Iterable[str],
    models: Sequence[str],
    forms: Sequence[str] = (MIXTURE,),
) -> list[str]:
    """Methods by name, each of which can be judged for every one of the models and likelihoods.

    A fit of a general mixture can't: no exact loss is known of it; no normal fits sampled labels.
    Of the default ones NUTS alone is left where there is no other model or likelihood.
    """
    methods = all_of("method", values or list(default), METHODS)
    general = [name for name in models if name in GENERAL]
    fits = [method for method in methods if method != "nuts"]
    if values and general and fits:
        raise UsageError(
            f"--method {fits[0]} --model {general[0]}: no exact loss is known of {general[0]}, so "
            "its fits can't be judged: give --method nuts"
        )
    if values and fits and DISCRETE in forms:
        raise UsageError(
            f"--method {fits[0]} --likelihood {DISCRETE}: no normal fits sampled labels: "
            "give --method nuts"
        )
    return ["nuts"] if len(general) == len(models) or [*forms] == [DISCRETE] else methods


def likelihoods_of(values: list[str] | None) -> list[str]:
    """Forms of the likelihood by name; the mixture where none is given."""
    return all_of("likelihood", values or [MIXTURE], LIKELIHOODS)


def left_out_of(
    backends: Sequence[str],
    asked: Sequence[str],
    named: Sequence[str],
    has: Callable[[str, str], bool],
) -> list[str]:
    """A line for each thing asked for that some backends don't have, and are not asked for.

    Refused is what none has, and a backend called by its name that has none of it.

    Parameters
    ----------
    asked : methods or likelihoods
    named : backends that were called by their names
    has : whether a backend has one of those
    """
    for backend in named:
        if not any(has(backend, each) for each in asked):
            raise UsageError(
                f"{backend} has no {', '.join(asked)}: choose from {_having(asked, has)}"
            )
    lines = []
    for each in asked:
        without = [backend for backend in backends if not has(backend, each)]
        if without == list(backends):
            known = _having([each], has)
            raise UsageError(f"no {each} in {', '.join(without)}: choose from {known}")
        if without:
            lines.append(f"no {each} in {', '.join(without)}: left out")
    return lines


def _having(asked: Sequence[str], has: Callable[[str, str], bool]) -> str:
    return ", ".join(name for name in EVERY if any(has(name, each) for each in asked))


def one_of(option: str, value: str, known: Iterable[str]) -> str:
    """The value, if it is known."""
    if value not in known:
        raise UsageError(f"unknown {option} {value!r}: choose from {', '.join(known)}")
    return value


def all_of(option: str, values: list[str] | None, known: Iterable[str]) -> list[str]:
    """The values, if all are known; every known one where none is given."""
    return [one_of(option, value, known) for value in dict.fromkeys(values or known)]


def backends_of(values: list[str] | None) -> list[str]:
    """Backends by name, or dotted modules; the default ones where none is given.

    "all" is every one that samples in this environment: not that of PyMC3, nor the exact one.
    """
    values = [name for value in values or () for name in (EVERY if value == ALL else [value])]
    return list(dict.fromkeys(backend_of("backend", value) for value in values or DEFAULT_BACKENDS))


def backend_of(option: str, value: str) -> str:
    """The name of a backend, or a dotted one, which is a module of the user's own."""
    return value if "." in value else one_of(option, value, BACKENDS)

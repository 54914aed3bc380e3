"""What the asv benchmarks measure, as environment variables ask, and what is kept of each fit.

asv imports this in every process that it starts: so the ruler is not imported here.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gmixbench.lab import building, stacks
from gmixbench.spec import HERE, MODELS, PROFILES

STACKS_VARIABLE = "GMIXBENCH_ASV_STACKS"
"""Environment variable: what to measure, names separated by commas."""

FITS_VARIABLE = "GMIXBENCH_ASV_FITS"
"""Environment variable: number of fits of each case, 1 unless set."""

PROFILE_VARIABLE = "GMIXBENCH_PROFILE"
"""Environment variable: the profile, `quick` unless set."""

METHODS = ("nuts", "advi-matched")

BACKENDS = ("pymc", "numpyro")
"""What `here` stands for, as far as it is installed."""

FIT_TIMEOUT = 600.0
"""Seconds after which one fit is ended."""

NEVER_SIGNIFICANT = 6
"""Number of fits with which asv finds no difference, whatever its size: it takes 6 against 6 as
enough for its Mann-Whitney test, whose least p-value is then 2 / binom(12, 6) = 0.0022, and 0.002
is its level. For fewer it compares intervals, and for one and one the values."""


@dataclass(frozen=True)
class Plan:
    """What is measured: values of the parameter `stack`, in a profile, and the fits of each."""

    stacks: tuple[str, ...]
    profile: str
    fits: int

    @property
    def timeout(self) -> float:
        """Seconds that all fits can take at most, each being bounded, and some for the rest."""
        cases = len(self.stacks) * len(MODELS) * len(METHODS)
        return FIT_TIMEOUT * (1 + cases * self.fits)


@dataclass(frozen=True)
class Fitted:
    """What became of the fits of one stack, model and method.

    `metrics` are those of each fit, in order of the seeds, unless one was `refused`, or the stack
    is `absent`: then these words say why.
    """

    metrics: tuple[dict[str, float | None], ...] = ()
    refused: str | None = None
    absent: str | None = None


Key = tuple[str, str, str]
"""Stack, model and method."""

Fits = dict[Key, Fitted]


def plan() -> Plan:
    """Plan that the environment variables give.

    "here-pymc" measures the PyMC that is installed beside us, and so on with the name, or dotted
    path, of any backend; any other value is a stack. Unless `GMIXBENCH_ASV_STACKS` says
    otherwise: the libraries that are installed here, and the newest stack of each that is built.

    Raises
    ------
    ValueError
        A variable's value has no meaning.
    """
    profile = os.environ.get(PROFILE_VARIABLE, "quick")
    if profile not in PROFILES:
        raise ValueError(f"{PROFILE_VARIABLE}={profile}: choose from {', '.join(PROFILES)}")
    fits = os.environ.get(FITS_VARIABLE, "1")
    if not fits.isdecimal() or int(fits) in {0, NEVER_SIGNIFICANT}:
        raise ValueError(
            f"{FITS_VARIABLE}={fits}: give a number of fits, and not {NEVER_SIGNIFICANT}: of "
            f"{NEVER_SIGNIFICANT} against {NEVER_SIGNIFICANT} asv calls no difference significant"
        )
    return Plan(_stacks(os.environ.get(STACKS_VARIABLE)), profile, int(fits))


def locks() -> Path:
    """Folder of lock files, as seen from that of asv.conf.json: asv changes the working folder.

    In its environments of type `existing` asv does not tell it: there the path must be absolute.
    """
    return Path(os.environ.get("ASV_CONF_DIR", "")) / stacks.folder()


def backend_and_stack(name: str) -> tuple[str, str]:
    """What a value of the parameter `stack` stands for, as a case has it.

    Raises
    ------
    gmixbench.lab.stacks.StackError
        No lock file has that name, or it is damaged.
    """
    backend = name.removeprefix(f"{HERE}-")
    if backend != name:
        return backend, HERE
    return stacks.find(name, locks()).package, name


def _stacks(asked: str | None) -> tuple[str, ...]:
    here = tuple(f"{HERE}-{backend}" for backend in BACKENDS if find_spec(backend))
    if asked is None:
        return (*here, *_newest())
    given = [each.strip() for each in asked.split(",")]
    spelled = [here if each == HERE else (each,) for each in given if each]
    found = tuple(dict.fromkeys(name for each in spelled for name in each))
    if not found:
        raise ValueError(f"{STACKS_VARIABLE}={asked}: it names nothing that is here")
    return found


def _newest() -> tuple[str, ...]:
    # By the file that building writes last; whether all stands whole is seen before it is used.
    built = [
        each
        for each in stacks.stacks(locks())
        if (building.environment(each) / building.MARKER).is_file()
    ]
    newest = {each.ppl: each.name for each in built}  # in order of release: the last one stays
    return tuple(newest[backend] for backend in BACKENDS if backend in newest)

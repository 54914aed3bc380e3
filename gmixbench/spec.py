"""What is measured: the models, their data, and the settings of a case.

Everything here is frozen data, written in the syntax of Python 3.6, because the
measured side imports it in the interpreters of old library versions.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Dict, Optional, Tuple, Union

if TYPE_CHECKING:  # the command line lists what is here, and answers sooner without NumPy
    import numpy as np

WEIGHTS = (0.5, 0.5)
"""Mixture weights, known and equal: so the free-means posterior is symmetric in its labels."""


@dataclass(frozen=True)
class Prior:
    """Normal prior of each mean, in units of the data."""

    mean: float = 0.0
    scale: float = 10.0


@dataclass(frozen=True)
class Spread:
    """Priors of what the two means leave unknown in a general mixture.

    Each standard deviation is HalfNormal(`sigma_scale`), in units of the data; the weight of the
    first component is Beta(*`weight`).
    """

    sigma_scale: float = 2.0
    weight: Tuple[float, float] = (5.0, 5.0)


@dataclass(frozen=True)
class Mixture:
    """Two normals whose means are unknown.

    Component labels are marginalized out, or sampled where a case's likelihood is `DISCRETE`.
    Where `ordered` is true the same joint density is restricted to m1 < m2 and is *not*
    renormalized; its unconstrained scale is (m1, log(m2 - m1)), with log-Jacobian log(m2 - m1).

    Weights are `WEIGHTS` and both standard deviations `sigma`, unless `spread` is given: then
    both standard deviations and the weight of the first component are unknown too, `sigma` says
    nothing, and (log s1, log s2, logit theta) follow on the unconstrained scale, with log-Jacobian
    log s1 + log s2 + log theta + log(1 - theta).
    """

    name: str
    ordered: bool
    sigma: float = 1.0
    prior: Prior = Prior()
    spread: Optional[Spread] = None

    @property
    def parameters(self) -> Tuple[str, ...]:
        """Names of what is unknown, in the order of every array of points."""
        return ("m1", "m2") if self.spread is None else ("m1", "m2", "s1", "s2", "theta")


MODELS: Dict[str, Mixture] = {
    "unordered": Mixture("unordered", ordered=False),
    "ordered": Mixture("ordered", ordered=True),
}
"""Models whose posterior is known exactly: what is measured unless a case says otherwise."""

GENERAL: Dict[str, Mixture] = {
    "ordered_full": Mixture("ordered_full", ordered=True, prior=Prior(scale=2.0), spread=Spread()),
}
"""Models that are judged by a reference: their posterior has too many dimensions for quadrature.
posteriordb's `low_dim_gauss_mix` is `ordered_full` on the data set of that name."""

ALL_MODELS: Dict[str, Mixture] = dict(MODELS, **GENERAL)

DATASETS: Tuple[str, ...] = ("overlapping", "close", "separated", "low_dim_gauss_mix")
"""Data sets in the package; `DEFAULT_DATASET` unless a case says otherwise."""

DEFAULT_DATASET = "close"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Named observations, shape (n,)."""

    name: str
    x: "np.ndarray"


@dataclass(frozen=True)
class NutsSettings:
    """Settings of one NUTS case; draws and warm-up are counts for each chain."""

    chains: int = 4
    warmup: int = 2000
    draws: int = 5000
    target_accept: float = 0.95
    max_treedepth: int = 10
    starts: str = "dispersed"


@dataclass(frozen=True)
class AdviSettings:
    """Settings of one ADVI case.

    `family` is "mean-field" or "full-rank": a normal whose coordinates are independent, or not.
    `optimizer` is "adam", the same in every library with the learning rate, initial scale and
    start given here; or "library", the library's own defaults, where those three are not used.
    """

    steps: int = 15000
    draws: int = 10000
    optimizer: str = "adam"
    learning_rate: float = 0.001
    initial_scale: float = 0.1
    family: str = "mean-field"


FAMILIES: Tuple[str, ...] = ("mean-field", "full-rank")
"""Families of normals that are fitted."""


@dataclass(frozen=True)
class LaplaceSettings:
    """Settings of one Laplace case: a normal at a mode, as wide as the curvature there.

    Where a library leaves the way to the mode to its user, Adam goes it, with so many `steps` and
    this learning rate; else the library's own optimizer.
    """

    steps: int = 15000
    draws: int = 10000
    learning_rate: float = 0.001


@dataclass(frozen=True)
class PathfinderSettings:
    """Settings of one case of single-path Pathfinder, the same in every library.

    It takes `steps` steps of L-BFGS at the most, with a `history` of so many, and makes a normal at
    each: the one whose ELBO, estimated from `elbo_draws` draws, is highest is the fit.
    """

    steps: int = 30
    draws: int = 10000
    history: int = 10
    elbo_draws: int = 200


@dataclass(frozen=True)
class GradientSettings:
    """Settings of a case of gradient calls: `rounds` of them, each of at least `round_s`.

    `observations` is how many the case's generated data are.
    """

    observations: int
    rounds: int = 20
    round_s: float = 0.05


Settings = Union[NutsSettings, AdviSettings, LaplaceSettings, PathfinderSettings]

STARTS: Tuple[str, ...] = ("dispersed", "one-mode")
"""Where chains start: chain c at mode c mod 2, or all at the first mode; both with an offset."""

METHODS: Tuple[str, ...] = (
    "nuts",
    "advi-matched",
    "advi-library",
    "fullrank-matched",
    "fullrank-library",
    "pathfinder",
    "laplace",
)

GRADIENT = "gradient"
"""Method of a case that times gradient calls: nothing is sampled or fitted, so it is not asked
for beside those that are."""

DEFAULT_METHODS: Tuple[str, ...] = METHODS[:3]

ADVI_METHODS: Tuple[str, ...] = METHODS[1:5]

MIXTURE, LOGSUMEXP, ENUMERATED, DISCRETE = "mixture", "logsumexp", "enumerated", "discrete"

LIKELIHOODS: Tuple[str, ...] = (MIXTURE, LOGSUMEXP, ENUMERATED, DISCRETE)
"""Forms in which one likelihood is written: the library's mixture distribution; by hand, with the
log-sum-exp trick; with labels that the library marginalizes out itself; with labels that are
sampled, so that there is no density of the means alone."""


@dataclass(frozen=True)
class Profile:
    """Counts that make a run short or long; everything else is the same in each profile."""

    name: str
    nuts: NutsSettings
    advi: AdviSettings = AdviSettings()

    def settings(self, method: str) -> Settings:
        """Settings of `method` in this profile."""
        if method == "nuts":
            return self.nuts
        if method == "advi-matched":
            return self.advi
        if method == "advi-library":
            return replace(self.advi, optimizer="library")
        if method == "fullrank-matched":
            return replace(self.advi, family="full-rank")
        if method == "fullrank-library":
            return replace(self.advi, family="full-rank", optimizer="library")
        if method == "pathfinder":
            return PathfinderSettings()
        if method == "laplace":
            return LaplaceSettings()
        raise ValueError("unknown method {!r}: choose from {}".format(method, ", ".join(METHODS)))


PROFILES: Dict[str, Profile] = {
    "quick": Profile("quick", NutsSettings(chains=4, warmup=1000, draws=1000)),
    "standard": Profile("standard", NutsSettings(chains=4, warmup=2000, draws=5000)),
    "seed": Profile("seed", NutsSettings(chains=2, warmup=2000, draws=10000)),
}

COMPARE = Profile("compare", NutsSettings(chains=5, warmup=1000, draws=1000))
"""Profile of `compare`: the first chain is a warm call, which does not count. Draws and steps are
the least; they grow until a process samples long enough to be timed."""


HERE = "here"
"""Stack of a case that measures whatever is installed beside gmixbench."""


@dataclass(frozen=True)
class Case:
    """One thing to measure: a model on a data set, by a method of a backend in a stack.

    `likelihood` is the form, one of `LIKELIHOODS`, in which the model is written.
    """

    dataset: str
    model: Mixture
    backend: str
    method: str
    settings: Union[Settings, GradientSettings] = field(default_factory=NutsSettings)
    stack: str = HERE
    seed: int = 0
    likelihood: str = MIXTURE

    @property
    def posterior(self) -> str:
        """Name of what judges it: its data set, and its model where that is a general one.

        One exact posterior serves both models of two means.
        """
        if self.model.spread is None:
            return self.dataset
        return "{} {}".format(self.model.name, self.dataset)

    @property
    def row(self) -> str:
        """Backend, with the likelihood where that is not the mixture."""
        return row_name(self.backend, self.likelihood)


def row_name(backend: str, likelihood: str) -> str:
    """Name of what stands beside others in a table: "numpyro", or "numpyro, discrete"."""
    return backend if likelihood == MIXTURE else "{}, {}".format(backend, likelihood)


def settings_kind(method: str) -> type:
    """Class of the settings of a method."""
    kinds = {
        "nuts": NutsSettings,
        "pathfinder": PathfinderSettings,
        "laplace": LaplaceSettings,
        GRADIENT: GradientSettings,
    }  # type: Dict[str, type]
    return kinds.get(method, AdviSettings)


def fit_settings(case: Case) -> Settings:
    """Settings of a case that draws or fits.

    Raises
    ------
    TypeError
        It times a gradient, and no more.
    """
    if isinstance(case.settings, GradientSettings):
        raise TypeError("{} draws and fits nothing".format(case.method))
    return case.settings


def family_of(case: Case) -> str:
    """Family, one of `FAMILIES`, of the normal that a case fits; only ADVI may be mean-field."""
    if isinstance(case.settings, NutsSettings):
        raise TypeError("{} fits no normal".format(case.method))
    return case.settings.family if isinstance(case.settings, AdviSettings) else FAMILIES[1]

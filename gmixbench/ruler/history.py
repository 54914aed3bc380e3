"""The nouns of a history: releases, sessions, and what was measured of each release in each round.

Small enough to keep for good: scores and verdicts, no draws.
"""

from dataclasses import dataclass

from gmixbench.spec import Case


@dataclass(frozen=True)
class Release:
    """A stack as a point in its library's history.

    `ppl` is the library whose past it is ("pymc" or "numpyro": PyMC3 is PyMC's past), `package` the
    distribution that is measured ("pymc3", "pymc", "numpyro"), `released` its ISO date, `packages`
    every locked version by name.
    """

    stack: str
    ppl: str
    package: str
    version: str
    released: str
    python: str
    packages: dict[str, str]

    @property
    def versions(self) -> dict[str, str]:
        """Version of every package, and of Python, by name."""
        return {**self.packages, "python": self.python}


@dataclass(frozen=True)
class Session:
    """One sitting of measuring on one machine: rounds of fresh processes, stacks in random order.

    `anchors` are the stacks that sessions share, so that they can be joined by ratios; `machine`
    names the processor, the system, the ruler's versions and the digest of the measured side.
    """

    name: str
    began: str
    machine: dict[str, str]
    anchors: tuple[str, ...]
    stacks: tuple[str, ...]
    rounds: tuple[int, ...]
    dataset: str
    models: tuple[str, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Measurement:
    """One case of one release in one round: scores and verdict, or why there are none.

    `failure` is "kind: message", and then there are no metrics and `valid` is false. `lock` is the
    digest of the lock file it was built from. `began` is an ISO time.
    """

    case: Case
    session: str
    round: int
    began: str
    lock: str
    valid: bool
    reasons: tuple[str, ...] = ()
    labels: str | None = None
    converged: bool | None = None
    failure: str | None = None
    shims: tuple[str, ...] = ()
    metrics: dict[str, float | None] | None = None
    environment: dict[str, str] | None = None


@dataclass(frozen=True)
class History:
    """All that was measured, and of what; releases in order of date within each library."""

    profile: str
    releases: tuple[Release, ...]
    sessions: tuple[Session, ...]
    measurements: tuple[Measurement, ...]

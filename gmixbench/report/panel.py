"""What a figure is given: judged runs of one model on one data set, each with a short name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmixbench.record import Draws, Fit
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.names import names
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import Mixture, family_of


@dataclass(frozen=True, eq=False)
class Panel:
    """A judged run under the name that tells it from its neighbours."""

    name: str
    judged: Judged

    @property
    def model(self) -> Mixture:
        """Model that was run."""
        return self.judged.run.case.model

    @property
    def valid(self) -> bool:
        """Whether the run was right, so that its speed may be shown."""
        return self.judged.verdict.valid

    @property
    def draws(self) -> Draws:
        """Draws of a NUTS run."""
        result = self.judged.run.result
        if not isinstance(result, Draws):
            raise TypeError(f"{self.name} is a fit, it has no chains")
        return result

    @property
    def family(self) -> str:
        """Family of the normal that was fitted."""
        return family_of(self.judged.run.case)

    @property
    def fit(self) -> Fit:
        """Normal that was fitted, and its draws."""
        result = self.judged.run.result
        if not isinstance(result, Fit):
            raise TypeError(f"{self.name} has chains, it is no fit")
        return result

    @property
    def trace(self) -> NDArray[np.float64]:
        """Loss of ADVI at each step, shape (steps,)."""
        trace = self.fit.trace
        if trace is None:
            raise TypeError(f"{self.name} is no ADVI, it has no losses")
        return trace

    @property
    def means(self) -> NDArray[np.float64]:
        """All draws of both means, shape (n, 2), whatever the method."""
        return np.asarray(self.judged.run.result.means, dtype=float).reshape(-1, 2)

    @property
    def occupancy(self) -> tuple[float, ...]:
        """Share of draws with m2 > m1 by chain; empty for `ordered`."""
        return tuple(chain.occupancy for chain in self.judged.scores.chains)

    def shown(self, metric: str) -> float | None:
        """Value of a metric; never a speed of an invalid run, nor when one settled that did not."""
        if METRICS[metric].speed and not self.valid:
            return None
        if metric == "steps_to_converge" and not self.judged.verdict.converged:
            return None
        return self.judged.scores.metrics.get(metric)


def is_nuts(judged: Judged) -> bool:
    """Whether a run left chains; else it left a fit."""
    return isinstance(judged.run.result, Draws)


def panels(results: Sequence[Judged]) -> tuple[Panel, ...]:
    """Name runs by what tells them apart; see `names`."""
    named = names([judged.run.case for judged in results])
    return tuple(Panel(name, judged) for name, judged in zip(named, results, strict=True))

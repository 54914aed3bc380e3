"""What a figure is given: judged runs of one model on one data set, each with a short name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmixbench.record import Draws, Fit
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import Case, Mixture, family_of, fit_settings


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
    """Name runs by backend, by a likelihood not the mixture, and by whatever else differs."""
    cases = [judged.run.case for judged in results]
    words = [_words(case) for case in cases]
    varies = [len({row[i] for row in words}) > 1 for i in range(len(words[0]) if words else 0)]
    named = []
    for row, judged in zip(words, results, strict=True):
        kept = [word for i, word in enumerate(row) if i == 0 or varies[i]]
        named.append(Panel(" · ".join(kept), judged))
    return tuple(named)


def _words(case: Case) -> tuple[str, ...]:
    settings = fit_settings(case)
    starts = getattr(settings, "starts", "")
    counts = f"{getattr(settings, 'chains', 1)} × {settings.draws:,}"
    stack = case.stack
    return case.row, case.method, f"stack {stack}", f"seed {case.seed}", starts, counts

"""Which runs share their random stream, and so their noise.

What an algorithm does under one seed is decided by its random stream, down to rounding. Releases
that draw the same stream repeat each other: in the project's own history PyMC 5.25 to 6.3 have the
same count of gradients and the same ESS in every run. Ten such releases with three seeds are three
values and not thirty, and to deal their residuals out one by one would make chance look ten times
as precise as it is: then every change of the stream, which is no change of the algorithm, looks
like one. So runs of one seed that agree share one *noise*, wherever in the history they are.
Neighbours that agree throughout are one entry in the search for changes, and permuted histories
deal one residual to each noise: a permutation must keep together what is not exchangeable apart
(Anderson and ter Braak 2003; Winkler et al. 2015, "Multi-level block permutation").

A sampler is a contraction where the posterior is log-concave, so what another BLAS rounds otherwise
stays small: E-BFMI was seen to differ by 1e-13. ESS and R-hat rest on ranks, and two ranks that
change places move them by 1e-6 or so. Trajectories that came out otherwise show in the count of
gradients.
"""

import math
from collections.abc import Hashable, Sequence

from gmixbench.ruler.history import Measurement

ALIKE = 1e-4
"""Relative difference up to which runs of one seed and the same count of gradients are the same:
far above what rounding does, and far below what another stream does."""


def noises(items: Sequence[Measurement]) -> tuple[int, ...]:
    """Number of the noise that each of a case's measurements has, counted from 0."""
    known: dict[Hashable, list[tuple[float, int]]] = {}
    found: list[int] = []
    count = 0
    for item in items:
        metrics = item.metrics or {}
        figure = metrics.get("ess_per_gradient" if item.case.method == "nuts" else "gap")
        value = math.nan if figure is None else figure
        alike = known.setdefault((item.case.seed, metrics.get("gradients_sample")), [])
        same = next((k for other, k in alike if math.isclose(value, other, rel_tol=ALIKE)), None)
        if same is None:
            same, count = count, count + 1
            alike.append((value, same))
        found.append(same)
    return tuple(found)


def entries(releases: Sequence[int], seeds: Sequence[int], own: Sequence[int]) -> tuple[int, ...]:
    """Entry of each release: neighbours are one where they agree on every seed that both have.

    Parameters
    ----------
    releases, seeds, own
        Of each measurement, its release counted from 0, its seed and the number of its noise.
    """
    table: dict[int, dict[int, set[int]]] = {}
    for release, seed, noise in zip(releases, seeds, own, strict=True):
        table.setdefault(release, {}).setdefault(seed, set()).add(noise)
    found: list[int] = []
    entry: dict[int, set[int]] = {}
    for release in sorted(table):
        shared = entry.keys() & table[release].keys()
        if shared and all(entry[seed] == table[release][seed] for seed in shared):
            entry = {**entry, **table[release]}
            found.append(found[-1])
        else:
            entry = table[release]
            found.append(found[-1] + 1 if found else 0)
    return tuple(found)

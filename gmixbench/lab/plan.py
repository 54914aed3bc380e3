"""Which cases a run is made of."""

from collections.abc import Sequence
from dataclasses import replace

from gmixbench.measured.backends import knows, writes
from gmixbench.spec import DISCRETE, PROFILES, Case, Mixture, NutsSettings


def plan_cases(
    *,
    profile: str,
    models: Sequence[Mixture],
    backends: Sequence[str],
    methods: Sequence[str],
    datasets: Sequence[str],
    chains: int | None,
    starts: str,
    seeds: Sequence[int],
    likelihoods: Sequence[str],
) -> list[Case]:
    """Every combination that a backend knows and that can be judged, as a reader compares.

    Libraries stand side by side. Forms of a likelihood follow each other within their library.
    Those of one seed follow each other, so that a stretch of noise meets all of them. Of general
    mixtures NUTS alone: no exact loss is known that would judge a fit. Of sampled labels too: no
    normal fits them.

    Parameters
    ----------
    chains : in place of the profile's, for NUTS
    """
    cases = []
    for dataset in datasets:
        for method in methods:
            settings = PROFILES[profile].settings(method)
            if isinstance(settings, NutsSettings):
                settings = replace(settings, chains=chains or settings.chains, starts=starts)
            cases += [
                Case(dataset, model, backend, method, settings, seed=seed, likelihood=likelihood)
                for model in models
                if method == "nuts" or model.spread is None
                for seed in seeds
                for backend in backends
                if knows(backend, method)
                for likelihood in likelihoods
                if writes(backend, likelihood)
                if method == "nuts" or likelihood != DISCRETE
            ]
    return cases

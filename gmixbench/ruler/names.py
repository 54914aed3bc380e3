"""Names of cases: short ones, that tell each from its neighbours."""

from collections.abc import Sequence

from gmixbench.spec import Case, fit_settings


def names(cases: Sequence[Case]) -> tuple[str, ...]:
    """Name cases by backend, by a likelihood not the mixture, and by whatever else differs."""
    words = [_words(case) for case in cases]
    varies = [len({row[i] for row in words}) > 1 for i in range(len(words[0]) if words else 0)]
    return tuple(
        " · ".join(word for i, word in enumerate(row) if i == 0 or varies[i]) for row in words
    )


def counts(case: Case) -> str:
    """Chains and draws of each, after warm-up: 4 × 5,000."""
    settings = fit_settings(case)
    return f"{getattr(settings, 'chains', 1)} × {settings.draws:,}"


def starts(case: Case) -> str:
    """Where chains start; a fit has but one start, and no word for it."""
    return getattr(fit_settings(case), "starts", "")


def _words(case: Case) -> tuple[str, ...]:
    stack, seed = f"stack {case.stack}", f"seed {case.seed}"
    return case.row, case.method, stack, seed, starts(case), counts(case)

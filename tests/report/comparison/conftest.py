"""Outcomes made up for the reports: each case that they must tell."""

from collections.abc import Callable
from functools import cache

import pytest

from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.nouns import Outcome

SLOWER = {"seconds_per_gradient": 1.14}

STEPS = (
    {"pymc": "6.3.2", "pytensor": "2.28.1", "numpy": "2.3.1"},
    {"pymc": "6.4.0", "pytensor": "2.28.1", "numpy": "2.3.1"},
    {"pymc": "6.4.0", "pytensor": "2.30.0", "numpy": "2.3.1"},
    {"pymc": "6.4.0", "pytensor": "2.30.0", "numpy": "2.4.0"},
)

FOREIGN = "a|b\\|<b>@you</b> $x$ [bold]*c*"
"""A name that is markup to each of those it is shown by."""


@pytest.fixture(scope="session")
def outcome_of(made_values, comparison_of) -> Callable[[str], Outcome]:
    """Outcome by name; judged once."""
    values, make = made_values, comparison_of

    def nuts(*changes, **how):
        return {"unordered nuts": values(*changes, **how)}

    def two(*changes, **how):
        return {**nuts(*changes, **how), "ordered nuts": values(*changes, seed=3, **how)}

    def advi(*changes, **how):
        return {"ordered advi-matched": values(*changes, method="advi", **how)}

    step = {"seconds_per_gradient": 1.13}
    cases = {
        "slower": lambda: make(nuts(SLOWER), same=True),
        "same": lambda: make(nuts({}), same=True),
        "fewer draws' worth": lambda: make(nuts({"ess_per_gradient": 0.8}, trees=0.05)),
        "hidden": lambda: make(nuts({"ess_per_gradient": 0.95}, trees=0.001)),
        "half hidden": lambda: make(
            nuts({"ess_per_gradient": 0.96, "seconds_per_gradient": 1.05}, trees=0.001)
        ),
        "although": lambda: make(
            nuts({"ess_per_gradient": 0.7, "seconds_per_gradient": 0.9}, trees=0.05)
        ),
        "both": lambda: make(
            nuts({"ess_per_gradient": 0.7, "seconds_per_gradient": 1.2}, trees=0.05)
        ),
        "cancel": lambda: make(
            nuts({"ess_per_gradient": 1.25, "seconds_per_gradient": 1.25}, trees=0.001)
        ),
        "thirty": lambda: make(
            nuts({"seconds_per_gradient": 1 / 30}, trees=0.05), names=("pymc", "numpyro")
        ),
        "one of thirty": lambda: make(nuts({"compile_s": 30.0}), same=True),
        "early": lambda: make(nuts(SLOWER, blocks=7), same=True),
        "none": lambda: make(nuts(SLOWER, blocks=0)),
        "open": lambda: make(nuts({"seconds_per_gradient": 1.06}, noise=0.05), same=True),
        "two": lambda: make(two(SLOWER, trees=0.02)),
        "wild": lambda: make(nuts(SLOWER, wild={(5, 1): 1.75, (17, 0): 2.4}), same=True),
        "advi": lambda: make(advi({**SLOWER, "gap": 0.03})),
        "invalid": lambda: make(two({"seconds_per_gradient": 0.5}), z={1: 9.3}),
        "half invalid": lambda: make(
            {**nuts({"seconds_per_gradient": 0.5}), **advi(SLOWER)}, z={1: 9.3}
        ),
        "valid": lambda: make(two({"seconds_per_gradient": 0.5})),
        "failed": lambda: make(nuts(SLOWER), failures={1: "crash: boom"}),
        "steps": lambda: make(
            nuts({}, step, SLOWER), same=True, packages=STEPS, names=("old", "p", "t", "new")
        ),
        "two steps": lambda: make(
            nuts({"seconds_per_gradient": 1.06}, {"seconds_per_gradient": 1.13}, step),
            same=True, packages=STEPS,
        ),
        "steps cancel": lambda: make(nuts(step, {}, {}), same=True, packages=STEPS),
        "step against": lambda: make(
            nuts({"seconds_per_gradient": 1.25}, SLOWER, SLOWER), same=True, packages=STEPS
        ),
        "small steps": lambda: make(
            nuts(*({"seconds_per_gradient": 1.015**k} for k in (1, 2, 3)), noise=0.002),
            same=True, packages=STEPS,
        ),
        "middle invalid": lambda: make(
            nuts({}, step, SLOWER), same=True, packages=STEPS, z={1: 9.3}
        ),
        "middle failed": lambda: make(
            nuts({}, step, SLOWER), same=True, packages=STEPS, failures={2: "crash: boom"}
        ),
        "foreign": lambda: make(
            two(SLOWER),
            names=(FOREIGN, "new"),
            packages=({"pymc": "6.3", FOREIGN: "1"}, {"pymc": "6.4"}),
        ),
        "foreign failure": lambda: make(nuts(SLOWER), failures={1: FOREIGN}),
    }  # fmt: skip

    @cache
    def outcome(name: str) -> Outcome:
        return judge(cases[name]())

    return outcome


@pytest.fixture(scope="session")
def foreign() -> str:
    """The name that is markup, as it was given."""
    return FOREIGN

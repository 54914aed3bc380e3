"""Pairs of releases, and what their own projects say became of the speed between them."""

from dataclasses import dataclass

from gmixbench.ruler.compare import Verdict


@dataclass(frozen=True)
class Pair:
    """Two sides for `compare`, and who claims what of them.

    `claim` is in the words of this project, `source` where it is claimed; without a source nobody
    is known to claim a thing. `expected` is what it makes of seconds per gradient evaluation, and
    `elsewhere` why it can't be tested here, "" where it can.
    """

    name: str
    old: str
    new: str
    claim: str
    expected: Verdict = "equivalent"
    source: str | None = None
    options: tuple[str, ...] = ()
    elsewhere: str = ""


GITHUB = "https://github.com"

LONGER = ("--budget", "25m")
"""PyMC compiles C++ for the most part of a minute wherever its caches are cold."""

PAIRS = (
    Pair(
        "numpyro-0.13.1-0.13.2",
        "numpyro-v0.13.1",
        "numpyro-v0.13.2",
        "No change of speed is known.",
    ),
    Pair(
        "pymc-5.21.2-5.22.0",
        "pymc-v5.21.2",
        "pymc-v5.22.0",
        "No change of speed is known.",
        options=LONGER,
    ),
    Pair(
        "pymc-5.18.2-5.19.1",
        "pymc-v5.18.2",
        "pymc-v5.19.1",
        "NUTS and pm.sample are faster: a gradient takes one flat array where it took a "
        "dictionary, without copies.",
        "improved",
        f"{GITHUB}/pymc-devs/pymc/pull/7578",
        LONGER,
    ),
    Pair(
        "pymc-5.28.5-6.0.1",
        "pymc-v5.28.5",
        "pymc-v6.0.1",
        "PyTensor compiles by Numba where it compiled C, and Numba is the more performant; without "
        "a number. (The twofold NUTS that PyMC 6 is announced with is nutpie's, and is not this.)",
        "improved",
        f"{GITHUB}/numfocus/small-development-grant-proposals/issues/66 and "
        f"{GITHUB}/pymc-devs/pymc.io/pull/121",
        LONGER,
    ),
    Pair(
        "numpyro-0.15.2-0.15.3",
        "numpyro-v0.15.2",
        "numpyro-v0.15.3",
        "JAX from 0.4.32 on is slower on CPUs where kernels are small: BlackJAX's NUTS takes more "
        "than twice as long (0.4.30 against 0.4.34), a simulator five to ten times.",
        "regressed",
        f"{GITHUB}/blackjax-devs/blackjax/issues/746 and {GITHUB}/jax-ml/jax/issues/26145",
        ("--attribute", "--budget", "20m"),
    ),
    Pair(
        "numpyro-0.20.1-0.21.0",
        "numpyro-v0.20.1",
        "numpyro-v0.21.0",
        "NUTS takes 60 to 200 times as long for a small hierarchical model on a GPU, the number "
        "of steps unchanged (0.20.0 with JAX 0.9.1 against 0.21.0 with 0.10.2).",
        "regressed",
        f"{GITHUB}/pyro-ppl/numpyro/issues/2225",
        elsewhere="the claim is about a GPU, and here is none",
    ),
)

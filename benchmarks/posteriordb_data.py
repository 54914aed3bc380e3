"""Data of posteriordb's `low_dim_gauss_mix`, made anew from the seed that Stan's authors published.

`stan-dev/stat_comp_benchmarks` (BSD 3-Clause, 2017) has them as a file of 1,000 numbers; they are
what R gives for

    set.seed(689934); z <- rbinom(1000, 1, 0.4) + 1; y <- rnorm(1000, c(-2.75, 2.75)[z], 1)

(M. Betancourt, "Identifying Bayesian Mixture Models", 2017). R's generators are well defined: the
Mersenne Twister, seeded by a congruential generator; a binomial by inversion; a normal by inversion
of two uniforms, with Wichura's algorithm AS 241, which Python's `NormalDist` has too. So a few
lines give every digit of that file:

    python benchmarks/posteriordb_data.py > gmixbench/datasets/low_dim_gauss_mix.csv
"""

from statistics import NormalDist

import numpy as np

SEED, COUNT = 689934, 1000
SECOND_SHARE, MEANS = 0.4, (-2.75, 2.75)

BIG = 2**27
"""R's normal takes this many levels from one uniform and what is between from another."""


def uniforms(seed: int) -> "np.random.MT19937":
    """R's generator of uniforms under `set.seed`."""
    state = seed
    words = []
    for step in range(50 + 625):
        state = (69069 * state + 1) % 2**32
        if step >= 50:
            words.append(state)
    generator = np.random.MT19937()
    # The first word is the place in the others; after seeding all of them are used up.
    inner = {"key": np.array(words[1:], dtype=np.uint32), "pos": 624}
    generator.state = {"bit_generator": "MT19937", "state": inner}
    return generator


def observations() -> list[float]:
    """The data, in their order."""
    generator = uniforms(SEED)

    def uniform() -> float:
        return int(generator.random_raw()) * 2.3283064365386963e-10

    second = [uniform() >= 1 - SECOND_SHARE for _ in range(COUNT)]

    def normal() -> float:
        return NormalDist().inv_cdf((int(BIG * uniform()) + uniform()) / BIG)

    return [MEANS[label] + normal() for label in second]


if __name__ == "__main__":
    print("x")
    for value in observations():
        print(f"{value:.15g}")

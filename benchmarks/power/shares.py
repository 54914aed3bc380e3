"""How many of how many, with the interval of the share that they tell of."""

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import binomtest

CONFIDENCE = 0.90
"""Of the interval: each bound holds with 95 %."""


@dataclass(frozen=True)
class Share:
    """`count` of `total`, with the interval of Clopper and Pearson (1934)."""

    count: int
    total: int

    @property
    def share(self) -> float:
        """The share itself; 0 of none is none."""
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound; of none nothing is known."""
        if not self.total:
            return 0.0, 1.0
        found = binomtest(self.count, self.total).proportion_ci(CONFIDENCE, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        """In words: 3 of 300, 1.0 % [0.3, 2.6]."""
        return f"{self.count} of {self.total}, {self.brief}" if self.total else "none"

    @property
    def brief(self) -> str:
        """Without the numbers it is made of."""
        if not self.total:
            return "–"
        low, high = self.interval
        return f"{100 * self.share:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def share(answers: Iterable[bool]) -> Share:
    """How many are true."""
    told = [*answers]
    return Share(sum(told), len(told))

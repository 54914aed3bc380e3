"""What the sections of the page have in common: tables, percentages, and the spread of a ratio."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import quantile_test, spearmanr
from shares import Share, share

from gmixbench.report.markdown import row
from gmixbench.ruler.comparison.nouns import Outcome

WILD = 5.0
"""Robust standard deviations from the median beyond which a block is called wild."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join([row(head), "|" + "---|" * len(head), *map(row, rows)])


def percent(log_ratio: float, digits: int = 1) -> str:
    """A change with its sign."""
    return f"{100 * math.expm1(log_ratio):+.{digits}f} %".replace("-", "−")


def size(ratios: np.ndarray) -> str:
    """Median of a log ratio, with its 95 % interval by order statistics."""
    if not ratios.any():
        return "none, to the last bit"
    found = quantile_test(ratios, p=0.5).confidence_interval(0.95)
    middle, low, high = (percent(end, 2) for end in (np.median(ratios), found.low, found.high))
    return f"{middle} [{low}, {high}]"


def robust(ratios: np.ndarray) -> float:
    """Standard deviation of a normal with the same quartiles."""
    early, late = np.quantile(ratios, [0.25, 0.75])
    return float(late - early) / 1.349


def wild(ratios: np.ndarray) -> Share:
    """Blocks that are far from all others."""
    return share(abs(ratios - np.median(ratios)) > WILD * robust(ratios))


def memory(ratios: np.ndarray) -> float:
    """Rank correlation of a block's ratio with the next one's."""
    ranks = ratios.argsort().argsort()
    return float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])


def turned(comparisons: Iterable[np.ndarray]) -> str:
    """Rank correlation of the log ratios of two blocks that have each other's order, turned round.

    Parameters
    ----------
    comparisons : log ratios of whole comparisons, block by block from the first
    """
    both = [np.column_stack([x[: len(x) // 2 * 2 : 2], x[1::2]]) for x in comparisons]
    found = np.concatenate(both)
    middle = spearmanr(found).statistic
    ends = np.tanh(np.arctanh(middle) + np.array([-1.96, 1.96]) / math.sqrt(len(found) - 3))
    low, high, told = (f"{end:.2f}".replace("-", "−") for end in (*ends, middle))
    return f"{told} [{low}, {high}] of {len(found):,} turns"


def spread(ratios: np.ndarray) -> str:
    """How far a log ratio is from one, and how often; begins within a sentence."""
    low, early, late, high = (percent(q) for q in np.quantile(ratios, [0.05, 0.25, 0.75, 0.95]))
    return (
        f"the log ratio of a block's two clocks has a standard deviation of "
        f"{100 * ratios.std(ddof=1):.1f} %, by its quartiles one of {100 * robust(ratios):.1f} %. "
        f"Half of the blocks lie from {early} to {late}, nine in ten from {low} to {high}; "
        f"{wild(ratios)} are wild, more than {WILD:.0f} of the latter from the median. The rank "
        f"correlation of one block with the next is {memory(ratios):.2f}.".replace(" -0.", " −0.")
    )


def verdict(outcome: Outcome, metric: str) -> str:
    """What an outcome says of a metric."""
    return next((each.verdict for each in outcome.whole if each.metric == metric), "not measured")

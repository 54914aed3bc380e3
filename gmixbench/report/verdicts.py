"""How a change and its verdict are written: the same in the gate and in a comparison."""

import math

from gmixbench.report.numbers import number, quantity
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.tolerances import TOLERANCES

COLOURS = {
    "regressed": "bold red",
    "invalid": "bold red",
    "not measured": "bold red",
    "inconclusive": "yellow",
    "fine": "bold green",
    "improved": "green",
    "equivalent": "dim",
}
"""What a terminal shows a verdict in, of a metric or of the whole."""

SYMBOLS = {"regressed": "▼", "improved": "▲", "equivalent": "=", "inconclusive": "?"}
"""What stands beside the word, for those who don't see the colour."""

FOLD = 2.0
"""Ratio from which a change is told in times instead of per cent."""


def is_ratio(metric: str) -> bool:
    """Whether a change of it is a ratio; else it is a difference in its unit."""
    return TOLERANCES[metric].scale == "ratio"


def value(metric: str, figure: float) -> str:
    """A metric's value; more digits where differences and not ratios matter."""
    if not is_ratio(metric):
        return f"{figure:.5g}".replace("-", "−")
    return quantity(figure, METRICS[metric].unit if metric in METRICS else "s")


def band(metric: str, width: float) -> str:
    """How much is no change."""
    return f"{100 * width:g} %" if is_ratio(metric) else f"{width:g}{_unit(metric, width)}"


def change(metric: str, estimate: float, low: float, high: float) -> str:
    """By how much, with its interval: "−12 % [−15, −9]", "×30.2 [29.1, 31.4]"."""
    if not (_bounded(metric, low) and _bounded(metric, high)):
        return f"{size(metric, estimate)} [no interval]"
    first, *bounds = _texts(metric, estimate, low, high)
    return f"{first}{_unit(metric, estimate)} [{', '.join(bounds)}]"


def size(metric: str, estimate: float) -> str:
    """By how much, without an interval: "−12 %", "×30.2", "+0.02 nats"."""
    return _texts(metric, estimate)[0] + _unit(metric, estimate)


def in_times(ratio: float) -> bool:
    """Whether a ratio is so far from 1 that per cent would not be read."""
    return not 1 / FOLD < ratio < FOLD


def percents(*ratios: float, sign: str = "+") -> list[str]:
    """Ratios as signed percentages without the sign of per cent, all with as many decimals.

    Parameters
    ----------
    ratios : an estimate, or that and the bounds of its interval
    sign : "+" tells the sign, "" leaves it to the words around
    """
    shares = [100 * (ratio - 1) for ratio in ratios]
    coarse = abs(shares[0]) >= 10 or max(shares) - min(shares) >= 4
    decimals = 0 if coarse else 1
    # Rounded first, so that nothing is "-0.0".
    return [
        f"{round(share, decimals) + 0.0:{sign}.{decimals}f}".replace("-", "−") for share in shares
    ]


def _texts(metric: str, estimate: float, *bounds: float) -> list[str]:
    if not is_ratio(metric):
        return _differences(estimate, *bounds)
    if in_times(estimate):
        return [f"×{number(estimate)}", *map(number, bounds)]
    return percents(estimate, *bounds)


def _differences(*parts: float) -> list[str]:
    """With two digits of the largest."""
    largest = max(map(abs, parts)) or 1.0
    decimals = max(0, 1 - math.floor(math.log10(largest)))
    return [f"{part:+.{decimals}f}".replace("-", "−") for part in parts]


def _unit(metric: str, estimate: float) -> str:
    if is_ratio(metric):
        return "" if in_times(estimate) else " %"
    unit = METRICS[metric].unit
    return "" if unit == "1" else f" {unit}"


def _bounded(metric: str, bound: float) -> bool:
    return math.isfinite(bound) and (bound > 0 or not is_ratio(metric))

"""How a change and its verdict are written: the same in the gate and in a comparison."""

import math

from gmixbench.report.numbers import number, quantity
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.tolerances import TOLERANCES

COLOURS = {
    "regressed": "bold red",
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
    if is_ratio(metric):
        return f"{100 * width:g} %"
    unit = METRICS[metric].unit
    return f"{width:g}" if unit == "1" else f"{width:g} {unit}"


def change(metric: str, estimate: float, low: float, high: float) -> str:
    """By how much, with its interval: "−12 % [−15, −9]", "×30.2 [29.1, 31.4]", "+0.02 [...]"."""
    told = [part for part in (estimate, low, high) if _finite(metric, part)]
    if not is_ratio(metric):
        texts = [f"{part:+.2g}" for part in told]
        unit = ""
    elif in_times(estimate):
        texts = [number(part) for part in told]
        texts[0] = f"×{texts[0]}"
        unit = ""
    else:
        texts = percents(*told)
        unit = " %"
    interval = f" [{texts[1]}, {texts[2]}]" if len(texts) == 3 else ", no interval yet"
    return f"{texts[0]}{unit}{interval}".replace("-", "−")


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
    return [f"{round(share, decimals) + 0.0:{sign}.{decimals}f}" for share in shares]


def _finite(metric: str, part: float) -> bool:
    return math.isfinite(part) and (part > 0 or not is_ratio(metric))

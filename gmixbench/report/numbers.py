"""Numbers as text, the same everywhere on the page."""

import math
from collections.abc import Sequence

MISSING = "–"


def number(value: float | None) -> str:
    """Three significant digits, thousands apart; a dash where there is no value."""
    if value is None:
        return MISSING
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "not a number"
    if abs(value) >= 999.5:
        return f"{float(f'{value:.3g}'):,.0f}" if abs(value) < 1e9 else f"{value:.2e}"
    if value == int(value):
        return f"{value:.0f}"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}".replace("-", "−")


def quantity(value: float | None, unit: str) -> str:
    """A number with its unit where that is seconds or bytes, in µs, ms, s or MB; else without."""
    if value is None or not math.isfinite(value) or unit not in ("s", "bytes"):
        return number(value)
    if unit == "bytes":
        return f"{number(value / 1e6)} MB"
    if 0 < value < 1e-3:
        return f"{number(1e6 * value)} µs"
    return f"{number(1e3 * value)} ms" if 0 < value < 0.1 else f"{number(value)} s"


def fixed(value: float | None, digits: int) -> str:
    """A number with so many decimals, for columns whose differences are small."""
    if value is None or not math.isfinite(value) or abs(value) >= 1e6:
        return number(value)
    return f"{value:.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """Share as a percentage; only a share that is nothing, or all, is shown as 0 or 100."""
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def listing(words: Sequence[str]) -> str:
    """Join words as in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

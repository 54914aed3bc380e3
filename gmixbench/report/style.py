"""How figures look: one palette, one size of type, one way to turn a figure into a PNG."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from PIL import Image, ImageChops

INK = "#24292f"
FAINT = "#8b949e"
EXACT = "#000000"
EXACT_FILL = "#d9d9d9"

# Okabe and Ito (2008), "Color universal design"; yellow is left out: too pale on white.
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
VERMILLION = "#D55E00"

CHAIN_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
CHAIN_LINES = ("-", (0, (4, 1.5)))

PPL_COLOURS = {"pymc": BLUE, "numpyro": ORANGE}

WIDTH = 10.0
"""Inches of a figure; the page shows them on about 1000 pixels, so 9 pt stay 12 pixels."""

DPI = 180

_RC: Any = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "path.simplify": True,
    "path.simplify_threshold": 0.5,
    "agg.path.chunksize": 20000,
}


def ppl_colour(name: str) -> str:
    """Colour of a library's line of releases."""
    return PPL_COLOURS.get(name, PURPLE)


@contextmanager
def house_style() -> Iterator[None]:
    """Figures that are made and saved inside look like those of this report."""
    with mpl.rc_context():
        mpl.rcParams.update(_RC)
        yield


def chain_style(chain: int) -> dict[str, Any]:
    """Colour and line of a chain, told apart without colour beyond the fourth."""
    row, colour = divmod(chain, len(CHAIN_COLOURS))
    return {"color": CHAIN_COLOURS[colour], "linestyle": CHAIN_LINES[row % len(CHAIN_LINES)]}


def figure(height: float) -> Figure:
    """Empty figure of the page's width; `height` in inches. No pyplot, so nothing to close."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def title(axes: Axes, text: str, *, valid: bool = True, columns: int = 2) -> None:
    """Panel title, wrapped to its column; an invalid run says so, in words and colour."""
    words = text if valid else f"{text} (invalid)"
    axes.set_title(fill(words, 96 // columns), color=INK if valid else VERMILLION)


def plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis, once all is drawn, with plain numbers that are few and apart."""
    low, high = axis.get_view_interval()
    if math.floor(math.log10(high)) > math.ceil(math.log10(low)):
        axis.set_major_locator(LogLocator(numticks=5))
    else:  # less than two powers of ten to be seen
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 5 * low else MaxNLocator(4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def png(drawing: Figure) -> bytes:
    """PNG of a figure, with a palette of 256 colours: a third of the size, no visible loss."""
    drawn, packed = io.BytesIO(), io.BytesIO()
    drawing.savefig(drawn, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
    image = Image.open(drawn).convert("RGB")
    # Equal aspects leave white above and below that the layout can't know of.
    _, top, _, bottom = ImageChops.invert(image).getbbox() or (0, 0, 0, image.height)
    image = image.crop((0, max(top - 8, 0), image.width, min(bottom + 8, image.height)))
    image = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.save(packed, "png", optimize=True)
    return packed.getvalue()

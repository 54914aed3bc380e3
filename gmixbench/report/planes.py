"""Figures of the data and of the plane of both means."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gmixbench.report import style
from gmixbench.report.numbers import fixed, percent
from gmixbench.report.panel import Panel
from gmixbench.ruler import curves
from gmixbench.ruler.score import Posterior
from gmixbench.spec import Mixture
from gmixbench.truth.exact import Exact

_GREYS = LinearSegmentedColormap.from_list("exact", ["#eceff1", "#7f8a93"])


def data(exact: Posterior, model: Mixture) -> Figure:
    """The observations, and the mixture that the posterior means make of them."""
    drawing = style.figure(2.9)
    axes = drawing.subplots()
    density, edges = curves.data_histogram(exact.x)
    axes.stairs(density, edges, fill=True, color="#e4e7ea", label="observations")
    mixture, parts = curves.mixture_density(exact, model)
    lines = (("--", style.BLUE), ("-.", style.VERMILLION))
    for i, (part, (line, colour)) in enumerate(zip(parts, lines, strict=True)):
        weight = "½" if model.spread is None else fixed(float(np.trapezoid(part.y, part.x)), 2)
        axes.plot(
            part.x, part.y, ls=line, color=colour, label=f"component {i + 1}, weight {weight}"
        )
    axes.plot(mixture.x, mixture.y, color=style.EXACT, lw=1.8, label="mixture")
    if len(exact.x) <= 2000:
        axes.plot(exact.x, np.zeros(len(exact.x)), "|", color=style.INK, ms=7, mew=0.7, alpha=0.7)
    axes.set_xlabel("observation (data units)")
    axes.set_ylabel("density (1 / data unit)")
    axes.legend(loc="upper right")
    return drawing


def joint(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Log-spaced contours of the draws over those of the exact joint posterior of two means."""
    if not isinstance(exact, Exact):
        raise TypeError("a general mixture has five parameters: they lie in no plane")
    model = panels[0].model
    finite = [panel.means for panel in panels]
    shown = curves.windows(exact, model, np.concatenate(finite))
    levels = curves.contour_levels(exact, model)
    across = 9.6 / max(len(panels), 2)
    shape = (shown[0].y[1] - shown[0].y[0]) / (shown[0].x[1] - shown[0].x[0])
    drawing = style.figure(len(shown) * (across * min(max(shape, 0.4), 1.2) + 0.3) + 0.8)
    grid = drawing.subplots(len(shown), len(panels), squeeze=False, sharex="row", sharey="row")
    for row, window in zip(grid, shown, strict=True):
        truth = curves.exact_surface(exact, model, window)
        for axes, panel in zip(row, panels, strict=True):
            axes.contourf(truth.x, truth.y, truth.density, levels=levels, cmap=_GREYS, extend="max")
            _contour(axes, curves.draws_surface(model, panel.means, window), levels)
            axes.axline((0, 0), slope=1, color=style.INK, lw=0.9, ls="--")
            axes.set(xlim=window.x, ylim=window.y, aspect="equal")
            axes.locator_params(nbins=5)
        row[0].set_ylabel("mean 2 (data units)")
    for axes, panel in zip(grid[0], panels, strict=True):
        style.title(axes, panel.name, valid=panel.valid, columns=len(panels))
        unseen = curves.outside(panel.means, shown)
        if unseen > 0.005:
            note = f"{percent(unseen)} of the draws\nlie outside"
            axes.text(0.97, 0.03, note, transform=axes.transAxes, ha="right", va="bottom", size=9)
    for axes in grid[-1]:
        axes.set_xlabel("mean 1 (data units)")
    handles = [
        Patch(color="#aab3ba", label="exact posterior"),
        Line2D([], [], color=style.VERMILLION, lw=1.1, label="draws, same levels"),
        Line2D([], [], color=style.INK, ls="--", lw=0.9, label="mean 1 = mean 2"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=3)
    return drawing


def _contour(axes: Axes, surface: curves.Surface, levels: curves.Array) -> None:
    reached = levels[(levels < np.nanmax(surface.density)) & (levels > surface.resolved)]
    if reached.size:
        axes.contour(
            surface.x,
            surface.y,
            surface.density,
            levels=reached,
            colors=style.VERMILLION,
            linewidths=0.9,
        )

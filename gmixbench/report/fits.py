"""Figure of fitted normals, side by side: how far from the posterior, and what is missing."""

import math
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gmixbench.report import style
from gmixbench.report.numbers import fixed, number
from gmixbench.report.panel import Panel
from gmixbench.ruler.score import Posterior
from gmixbench.ruler.verdict import CONVERGED
from gmixbench.spec import FAMILIES
from gmixbench.truth.exact import Exact

ROW, ROOM = 0.3, 1.5
"""Inches: a row, and what stands above and below all of them."""

LEAST_GAP = 1e-5
"""Nats at which a gap is drawn that is less, or none."""

HIGH_K = 0.7
"""Pareto k above which importance ratios are of no use (Yao et al. 2018)."""

_KINDS = {
    "mean-field ADVI": ("o", style.BLUE),
    "full-rank ADVI": ("s", style.ORANGE),
    "Pathfinder": ("^", style.PURPLE),
    "Laplace": ("D", style.GREEN),
}


def fits(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Gap, KL divergence, Pareto k and, of `unordered`, mode mass of each fit."""
    if not isinstance(exact, Exact):
        raise TypeError("no loss is known of a general mixture")
    model = panels[0].model
    drawing = style.figure(ROOM + ROW * len(panels))
    grid = drawing.subplots(1, 3 if model.ordered else 4, sharey=True)
    gap, divergence, k, *mass = grid
    evidence, laplace = exact.log_evidence(model), exact.laplace(model)
    best = {family: exact.best_normal(model, family).loss for family in FAMILIES}

    _dots(gap, panels, "gap", lambda value: max(value, LEAST_GAP), lambda value: fixed(value, 4))
    gap.set_xscale("log")
    gap.set(xlabel="gap (nats)", title="Above its family's best")
    gap.axvline(CONVERGED, color=style.VERMILLION, lw=1.2, ls="--")

    _dots(divergence, panels, "kl", float, lambda value: fixed(value, 3))
    divergence.set(xlabel="KL divergence (nats)", title="Above the posterior")
    for loss, colour in zip(best.values(), (style.BLUE, style.ORANGE), strict=True):
        divergence.axvline(loss + evidence, color=colour, lw=1.2, ls="--")
    if laplace is not None:
        divergence.axvline(laplace.loss + evidence, color=style.GREEN, lw=1.2, ls=":")
        gap.axvline(laplace.loss - best["full-rank"], color=style.GREEN, lw=1.2, ls=":")

    _dots(k, panels, "pareto_k", float, lambda value: fixed(value, 2))
    k.set(xlabel="Pareto k", title="Its importance ratios")
    k.axvline(HIGH_K, color=style.VERMILLION, lw=1.2, ls="--")

    for axes in mass:
        _dots(axes, panels, "mode_mass", float, number)
        axes.set(xlabel="mass of mean 1 < mean 2", title="Its share of one mode", xlim=(-0.35, 1.5))
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.axvline(0.5, color=style.EXACT, lw=1.2, ls=":")

    gap.set_yticks(range(len(panels)), [panel.name for panel in panels])
    gap.set_ylim(len(panels) - 0.5, -0.5)
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, ls="", label=kind)
            for kind, (marker, colour) in _KINDS.items()
            if kind in {_kind(panel) for panel in panels}
        ),
        Line2D([], [], color=style.BLUE, ls="--", label="best mean-field normal"),
        Line2D([], [], color=style.ORANGE, ls="--", label="best normal"),
        Line2D([], [], color=style.GREEN, ls=":", label="Laplace, exactly"),
        Line2D([], [], color=style.VERMILLION, ls="--", label="limit"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=4, columnspacing=1.2)
    return drawing


def _dots(
    axes: Axes,
    panels: Sequence[Panel],
    metric: str,
    place: Callable[[float], float],
    text: Callable[[float], str],
) -> None:
    for row, panel in enumerate(panels):
        value = panel.shown(metric)
        if value is None or not math.isfinite(value):
            beside = axes.get_yaxis_transform()
            axes.text(0.02, row, "not told", transform=beside, va="center", color=style.FAINT)
            continue
        marker, colour = _KINDS[_kind(panel)]
        face = colour if panel.valid else "white"
        axes.plot(place(value), row, marker, color=colour, mfc=face, ms=6)
        axes.annotate(
            text(value),
            (place(value), row),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.35)


def _kind(panel: Panel) -> str:
    method, family = panel.judged.run.case.method, panel.family
    return method.capitalize() if method in ("pathfinder", "laplace") else f"{family} ADVI"

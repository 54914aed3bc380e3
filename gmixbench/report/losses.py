"""Figure of ADVI runs: the loss along the steps."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gmixbench.report import style
from gmixbench.report.panel import Panel
from gmixbench.ruler import curves
from gmixbench.ruler.score import Posterior
from gmixbench.truth.exact import Exact


def loss(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Loss at each step and its running mean, over the two losses it can't go below."""
    if not isinstance(exact, Exact):
        raise TypeError("no loss is known of a general mixture")
    model = panels[0].model
    bound = -exact.log_evidence(model)
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    drawing = style.figure(2.5 * rows + 0.5)
    grid = drawing.subplots(rows, columns, squeeze=False, sharex=True)
    for axes, panel in zip(grid.flat, panels, strict=False):
        floor = exact.best_normal(model, panel.family).loss
        trace = panel.trace
        thin = curves.thin_loss(trace)
        mean = curves.running_loss(trace)
        axes.plot(thin.x, thin.y, ".", color=style.SKY, ms=2, alpha=0.6, mew=0)
        axes.plot(mean.x, mean.y, color=style.BLUE, lw=1.8)
        axes.axhline(floor, color=style.VERMILLION, lw=1.4, ls="--")
        axes.axhline(bound, color=style.EXACT, lw=1.4, ls=":")
        settled = panel.shown("steps_to_converge")
        if settled is not None:
            axes.axvline(settled, color=style.GREEN, lw=1.3, ls="-.")
        style.title(axes, panel.name, valid=panel.valid, columns=columns)
        # Each its own view: beside a fit that never settled all others would be flat.
        axes.set_ylim(curves.loss_view(trace, (floor, bound)))
        axes.set_xlim(0, None)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("step")
    for axes in grid[:, 0]:
        axes.set_ylabel("loss (nats)")
    handles = [
        Line2D([], [], color=style.SKY, marker=".", ls="", label="loss at a step (some)"),
        Line2D([], [], color=style.BLUE, lw=1.8, label="running mean of 500"),
        Line2D([], [], color=style.VERMILLION, ls="--", label="best normal of the family"),
        Line2D([], [], color=style.EXACT, ls=":", label=f"− log evidence: {bound:.3f}"),
        Line2D([], [], color=style.GREEN, ls="-.", label="running mean settled"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=5, columnspacing=1.2)
    return drawing

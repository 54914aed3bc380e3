"""Figures of NUTS runs: trace, autocorrelation, ranks, R-hat and ESS."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from gmixbench.report import style
from gmixbench.report.panel import Panel
from gmixbench.report.numbers import number, percent
from gmixbench.ruler import curves
from gmixbench.spec import Mixture
from gmixbench.truth.exact import Exact, Marginal

RHAT_LIMIT = 1.01
ESS_LIMIT = 400


def trace(panels: Sequence[Panel], exact: Exact) -> Figure:
    """Both means along the chains, laid end to end, beside their densities and the exact one."""
    drawing = style.figure(3.1 * len(panels) + 0.35)
    bands = np.atleast_1d(drawing.subfigures(len(panels), 1))
    for band, panel in zip(bands, panels, strict=True):
        band.suptitle(
            panel.name if panel.valid else f"{panel.name} (invalid)",
            x=0.01,
            ha="left",
            weight="bold",
            size=10.5,
            color=style.INK if panel.valid else style.VERMILLION,
        )
        grid = band.subplots(2, 2, sharey="row", sharex="col", width_ratios=(5, 1))
        marginals = _marginals(panel.model, exact)
        for i in range(2):
            _trace_row(grid[i, 0], grid[i, 1], panel.draws.means[..., i], marginals[i])
            for marginal in (marginals[i],) if panel.model.ordered else (exact.smaller, exact.larger):
                grid[i, 0].axhline(marginal.mean, color=style.EXACT, lw=1, ls=":")
            grid[i, 0].set_ylabel(f"mean {i + 1}\n(data units)")
        _name_chains(grid[0, 0], panel)
        grid[1, 0].set_xlabel(f"chains end to end, {panel.draws.means.shape[1]:,} draws each")
        grid[1, 1].set_xlabel("density\n(1 / data unit)")
    handles = [
        Line2D([], [], color=style.EXACT, lw=1.6, label="exact marginal"),
        Line2D([], [], color=style.EXACT, lw=1, ls=":", label="exact means"),
        Line2D([], [], color=style.BLUE, label="one chain (colour and dashes as in the trace)"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=3)
    return drawing


def _marginals(model: Mixture, exact: Exact) -> tuple[Marginal, Marginal]:
    if model.ordered:
        return exact.smaller, exact.larger
    return exact.labelled, exact.labelled


def _trace_row(
    left: Axes, right: Axes, values: NDArray[np.float64], marginal: Marginal
) -> None:
    truth = curves.exact_density(marginal)
    right.fill_betweenx(truth.x, truth.y, color=style.EXACT_FILL, lw=0)
    right.plot(truth.y, truth.x, color=style.EXACT, lw=1.6)
    chains, draws = values.shape
    for chain in range(chains):
        steps = np.arange(chain * draws, (chain + 1) * draws)
        colour = style.chain_style(chain)["color"]
        left.plot(steps, values[chain], color=colour, lw=0.35, rasterized=True)
        density = curves.draws_density(values[chain])
        right.plot(density.y, density.x, **style.chain_style(chain), lw=1.1)
        if chain:
            left.axvline(chain * draws, color=style.INK, lw=0.8)
    left.set_xlim(0, chains * draws)
    left.set_xticks([])
    right.set_xlim(left=0, right=1.25 * float(truth.y.max()))


def _name_chains(axes: Axes, panel: Panel) -> None:
    chains, draws = panel.draws.means.shape[:2]
    occupancy = panel.judged.scores.occupancy
    for chain in range(chains):
        text = f"chain {chain + 1}"
        if occupancy is not None and not panel.model.ordered:
            text += ("\n" if chains > 5 else " · ") + percent(occupancy[chain])
        axes.annotate(
            text,
            ((chain + 0.5) * draws, 1.01),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            size=9,
        )


def autocorrelation(panels: Sequence[Panel], exact: Exact) -> Figure:
    """Autocorrelation of each chain, labelled above and relabelled below."""

    def draw(axes: Axes, values: NDArray[np.float64], marginal: Marginal) -> None:
        series = curves.autocorrelation(values, marginal.mean, marginal.sd)
        axes.axhline(0, color=style.FAINT, lw=0.8)
        for chain, own in enumerate(series.own):
            axes.plot(series.lags, own, **style.chain_style(chain), lw=1.1)
        axes.plot(series.lags, series.exact, color=style.EXACT, ls="--", lw=1.8)
        axes.set_xscale("log")
        axes.set_ylim(-0.25, 1.15)
        axes.grid(visible=True)

    drawing = _label_grid(panels, exact, draw, "lag (draws, log scale)", "autocorrelation")
    handles = [
        Line2D([], [], color=style.BLUE, label="each chain, about its own mean"),
        Line2D([], [], color=style.EXACT, ls="--", lw=1.8, label="all chains, about the exact mean"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawing


def ranks(panels: Sequence[Panel], exact: Exact) -> Figure:
    """Rank histogram of each chain, labelled above and relabelled below."""

    def draw(axes: Axes, values: NDArray[np.float64], _: Marginal) -> None:
        series = curves.rank_histogram(values)
        axes.axhline(1, color=style.EXACT, lw=1.6, ls="--")
        for chain, ratio in enumerate(series.ratio):
            axes.stairs(ratio, series.edges, baseline=None, **style.chain_style(chain), lw=1.2)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(2.0, 1.1 * float(series.ratio.max())))

    drawing = _label_grid(
        panels, exact, draw, "rank among all draws (share)", "draws / expected"
    )
    handles = [
        Line2D([], [], color=style.BLUE, label="one chain"),
        Line2D([], [], color=style.EXACT, ls="--", lw=1.6, label="chains all alike"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawing


def _label_grid(
    panels: Sequence[Panel],
    exact: Exact,
    draw: Callable[[Axes, NDArray[np.float64], Marginal], None],
    x: str,
    y: str,
) -> Figure:
    """One column a run. Rows: mean 1 and the smaller mean, or both means of `ordered`."""
    drawing = style.figure(4.7)
    grid = drawing.subplots(2, len(panels), squeeze=False, sharex=True, sharey="row")
    for column, panel in zip(grid.T, panels, strict=True):
        means = panel.draws.means
        sorted_means = curves.relabel(means)
        rows = (
            (("mean 1", means[..., 0], exact.smaller), ("mean 2", means[..., 1], exact.larger))
            if panel.model.ordered
            else (
                ("mean 1 (labelled)", means[..., 0], exact.labelled),
                ("smaller mean (relabelled)", sorted_means[..., 0], exact.smaller),
            )
        )
        for axes, (name, values, marginal) in zip(column, rows, strict=True):
            draw(axes, values, marginal)
            style.title(axes, f"{panel.name}: {name}", valid=panel.valid)
        column[1].set_xlabel(x)
    for axes in grid[:, 0]:
        axes.set_ylabel(y)
    return drawing


def agreement(panels: Sequence[Panel]) -> Figure:
    """R-hat with and without labels, ESS, and ESS per second, one line a run."""
    drawing = style.figure(1.5 + 0.42 * len(panels))
    left, middle, right = drawing.subplots(1, 3, sharey=True, width_ratios=(1, 1.1, 0.9))
    for row, panel in enumerate(panels):
        _dots(left, row, panel, (("rhat", "o"), ("rhat_relabelled", "s")))
        _dots(middle, row, panel, (("ess_bulk", "o"), ("ess_tail", "D")))
        _speed(right, row, panel)
    left.axvline(RHAT_LIMIT, color=style.EXACT, ls="--", lw=1)
    left.set_xlim(0.98, max(1.06, 1.12 * left.dataLim.x1))
    left.set_xlabel("R-hat (1 = chains agree)")
    left.set_yticks(range(len(panels)), [panel.name for panel in panels])
    left.set_ylim(len(panels) - 0.4, -0.6)
    middle.axvline(ESS_LIMIT, color=style.EXACT, ls="--", lw=1)
    middle.set_xscale("log")
    middle.margins(x=0.2)
    middle.set_xlabel("effective draws (log scale)")
    right.set_xlim(0, 1.35 * right.dataLim.x1 if right.dataLim.x1 > 0 else 1)
    right.set_xlabel("effective draws per second (1 / s)")
    style.title(left, "R-hat")
    style.title(middle, "ESS, label-invariant")
    style.title(right, "ESS / s, valid runs only")
    for axes in (left, middle):
        axes.grid(visible=True, axis="x")
        axes.margins(y=0.2)
    marks = (
        (left, (("o", style.VERMILLION, "labelled"), ("s", style.BLUE, "relabelled")), "1.01"),
        (middle, (("o", style.VERMILLION, "bulk"), ("D", style.BLUE, "tail")), "400, the least"),
    )
    for axes, kinds, limit in marks:
        handles = [
            Line2D([], [], marker=marker, color=colour, ls="", mfc="none", mew=1.6, label=label)
            for marker, colour, label in kinds
        ]
        handles.append(Line2D([], [], color=style.EXACT, ls="--", lw=1, label=limit))
        axes.legend(
            handles=handles,
            ncols=3,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.42 * 1.6 / (0.5 + 0.42 * len(panels))),
            handletextpad=0.2,
            columnspacing=0.9,
        )
    return drawing


def _dots(axes: Axes, row: int, panel: Panel, metrics: tuple[tuple[str, str], ...]) -> None:
    offsets, colours = (-0.13, 0.13), (style.VERMILLION, style.BLUE)
    for (metric, marker), offset, colour in zip(metrics, offsets, colours, strict=True):
        value = panel.shown(metric)
        if value is None or not np.isfinite(value):
            continue
        place = row + offset
        axes.plot(value, place, marker=marker, color=colour, mfc="none", mew=1.6, ms=6.5)
        text = f"{value:.3f}" if metric.startswith("rhat") else number(value)
        axes.annotate(
            text, (value, place), (7, 0), textcoords="offset points", va="center", size=9
        )


def _speed(axes: Axes, row: int, panel: Panel) -> None:
    value = panel.shown("ess_per_second")
    if value is None:
        text = "not shown: not measured" if panel.valid else "not shown: invalid"
        axes.annotate(text, (0, row), (4, 0), textcoords="offset points", va="center", size=9)
        return
    axes.barh(row, value, height=0.45, color=style.SKY, edgecolor=style.BLUE)
    axes.annotate(
        number(value), (value, row), (5, 0), textcoords="offset points", va="center", size=9
    )

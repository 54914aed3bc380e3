"""Figures of NUTS runs: trace, autocorrelation, ranks, R-hat and ESS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from gmixbench.report import style
from gmixbench.report.numbers import number, percent
from gmixbench.report.panel import Panel
from gmixbench.ruler import curves
from gmixbench.ruler.score import Posterior
from gmixbench.ruler.verdict import LEAST_ESS
from gmixbench.truth.exact import Exact
from gmixbench.truth.known import Known
from gmixbench.truth.marginal import Marginal
from gmixbench.truth.reference import Margin

RHAT_LIMIT = 1.01
"""Vehtari et al. (2021): chains agree below it."""

_Mark = tuple[str, str, str]

_RHATS: Mapping[str, _Mark] = {
    "rhat": ("o", style.VERMILLION, "R-hat, labelled"),
    "rhat_relabelled": ("s", style.BLUE, "R-hat, relabelled"),
}
_ESSES: Mapping[str, _Mark] = {
    "ess_bulk": ("^", style.GREEN, "ESS, bulk"),
    "ess_tail": ("v", style.PURPLE, "ESS, tail"),
}
"""Marker, colour and name of a metric."""

_HALO = {"boxstyle": "square,pad=0", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


@dataclass(frozen=True, eq=False)
class _Row:
    """One parameter of a panel: its draws, shape (chains, draws), and the truth."""

    name: str
    unit: str
    values: NDArray[np.float64]
    mean: float
    sd: float
    density: curves.Curve
    lines: tuple[float, ...]


def trace(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Each parameter along the chains, laid end to end, beside its densities and the true one."""
    rows_of = [_parameters(panel, exact) for panel in panels]
    high = len(rows_of[0])
    drawing = style.figure((3.1 if high == 2 else 1.25 * high) * len(panels) + 0.35)
    bands = drawing.subfigures(len(panels), 1, squeeze=False)[:, 0]
    for band, panel, rows in zip(bands, panels, rows_of, strict=True):
        band.suptitle(
            panel.name if panel.valid else f"{panel.name} (invalid)",
            x=0.01,
            ha="left",
            weight="bold",
            size=10.5,
            color=style.INK if panel.valid else style.VERMILLION,
        )
        grid = band.subplots(high, 2, sharey="row", width_ratios=(5, 1))
        for (left, right), row in zip(grid, rows, strict=True):
            _trace_row(left, right, row)
            left.set_ylabel(f"{row.name}\n({row.unit})")
        _name_chains(grid[0, 0], panel)
        if isinstance(exact, Exact):  # both in data units, so on one scale
            grid[0, 1].tick_params(labelbottom=False)
            grid[1, 1].set_xlim(0, max(axes.get_xlim()[1] for axes in grid[:, 1]))
            grid[0, 1].set_xlim(grid[1, 1].get_xlim())
        grid[-1, 0].set_xlabel(f"chains end to end, {panel.draws.means.shape[1]:,} draws each")
        grid[-1, 1].set_xlabel("density (1 / data unit)" if high == 2 else "density (1 / unit)")
    word = truth_word(exact)
    handles = [
        Line2D([], [], color=style.EXACT, lw=1.6, label=f"{word} marginal"),
        Line2D([], [], color=style.EXACT, lw=1, ls=":", label=f"{word} means"),
        Line2D([], [], color=style.BLUE, label="one chain (colour and dashes as in the trace)"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=3)
    return drawing


def truth_word(exact: Posterior) -> str:
    """What runs are judged by, in a word."""
    return "exact" if isinstance(exact, Exact) else "reference"


_NAMES = ("mean 1", "mean 2", "sd 1", "sd 2", "weight 1")


def _parameters(panel: Panel, exact: Posterior) -> tuple[_Row, ...]:
    """Parameters in the order of the model."""
    values = panel.draws.parameters
    if isinstance(exact, Exact):
        marginals = _marginals(exact, ordered=panel.model.ordered)
        lines = [(each.mean,) for each in marginals]
        if not panel.model.ordered:
            lines = [tuple(exact.figures.mean)] * 2
        return tuple(
            _Row(
                _NAMES[k],
                "data units",
                values[..., k],
                marginals[k].mean,
                marginals[k].sd,
                curves.exact_density(marginals[k]),
                lines[k],
            )
            for k in range(2)
        )
    known = exact.known()
    return tuple(
        _referred(values[..., k], name, known[k], exact.margins[known[k].name])
        for k, name in enumerate(_NAMES)
    )


def _referred(values: NDArray[np.float64], name: str, known: Known, margin: Margin) -> _Row:
    unit = "share" if name.startswith("weight") else "data units"
    mean = known.mean.value
    curve = curves.Curve(margin.x, margin.y)
    return _Row(name, unit, values, mean, known.sd.value, curve, (mean,))


def _marginals(exact: Exact, *, ordered: bool) -> tuple[Marginal, Marginal]:
    if ordered:
        return exact.smaller, exact.larger
    return exact.labelled, exact.labelled


def _trace_row(left: Axes, right: Axes, row: _Row) -> None:
    truth, values = row.density, row.values
    top = truth.y.max()
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
    for mean in row.lines:
        left.axhline(mean, color=style.EXACT, lw=1, ls=":")
    left.set_xlim(0, chains * draws)
    left.set_xticks([])
    # Room for a chain that stays in one of two modes: twice as high as the exact marginal.
    right.set_xlim(0, float(np.clip(1.05 * right.dataLim.x1, 1.25 * top, 2.6 * top)))


def _name_chains(axes: Axes, panel: Panel) -> None:
    chains, draws = panel.draws.means.shape[:2]
    occupancy = panel.occupancy
    for chain in range(chains):
        text = f"chain {chain + 1}"
        if occupancy:
            text += ("\n" if chains > 5 else " · ") + percent(occupancy[chain])
        axes.annotate(
            text,
            ((chain + 0.5) * draws, 1.01),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            size=9,
        )


def autocorrelation(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Autocorrelation of each chain, labelled above and relabelled below."""

    def draw(axes: Axes, row: _Row) -> tuple[float, float]:
        series = curves.autocorrelation(row.values, row.mean, row.sd)
        axes.axhline(0, color=style.FAINT, lw=0.8)
        for chain, own in enumerate(series.own):
            axes.plot(series.lags, own, **style.chain_style(chain), lw=1.1)
        axes.plot(series.lags, series.exact, color=style.EXACT, ls="--", lw=1.8)
        axes.set_xscale("log")
        _plain_log(axes)
        axes.grid(visible=True)
        # A run far from the truth goes far beyond 1; it need not flatten the others.
        return -0.25, float(np.clip(1.1 * np.nanmax(series.exact, initial=1), 1.15, 2.5))

    drawing = _label_grid(panels, exact, draw, "lag (draws, log scale)", "autocorrelation")
    handles = [
        Line2D([], [], color=style.BLUE, label="each chain, about its own mean"),
        Line2D(
            [],
            [],
            color=style.EXACT,
            ls="--",
            lw=1.8,
            label=f"all, about the {truth_word(exact)} mean",
        ),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawing


def ranks(panels: Sequence[Panel], exact: Posterior) -> Figure:
    """Rank histogram of each chain, labelled above and relabelled below."""

    def draw(axes: Axes, row: _Row) -> tuple[float, float]:
        series = curves.rank_histogram(row.values)
        axes.axhline(1, color=style.EXACT, lw=1.6, ls="--")
        for chain, ratio in enumerate(series.ratio):
            axes.stairs(ratio, series.edges, baseline=None, **style.chain_style(chain), lw=1.2)
        axes.set_xlim(0, 1)
        return 0.0, max(2.0, 1.05 * float(series.ratio.max()))

    drawing = _label_grid(panels, exact, draw, "rank among all draws (share)", "draws / expected")
    handles = [
        Line2D([], [], color=style.BLUE, label="one chain"),
        Line2D([], [], color=style.EXACT, ls="--", lw=1.6, label="chains all alike"),
    ]
    drawing.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawing


def _label_grid(
    panels: Sequence[Panel],
    exact: Posterior,
    draw: Callable[[Axes, _Row], tuple[float, float]],
    x: str,
    y: str,
) -> Figure:
    """One column a run. Rows: mean 1 and the smaller mean, or all parameters where ordered."""
    columns = [_label_rows(panel, exact) for panel in panels]
    high = len(columns[0])
    # Limits are those of the widest panel in the row.
    limits = np.zeros((high, 2))
    drawing = style.figure(4.7 if high == 2 else 1.6 * high + 0.4)
    grid = drawing.subplots(high, len(panels), squeeze=False, sharex=True, sharey="row")
    for column, panel, rows in zip(grid.T, panels, columns, strict=True):
        for i, (axes, row) in enumerate(zip(column, rows, strict=True)):
            low, top = draw(axes, row)
            limits[i] = min(limits[i, 0], low), max(limits[i, 1], top)
            if panel is panels[0]:
                axes.set_ylabel(f"{row.name}\n{y}")
        style.title(column[0], panel.name, valid=panel.valid, columns=len(panels))
        column[-1].set_xlabel(x)
    for axes, (low, top) in zip(grid[:, 0], limits, strict=True):
        axes.set_ylim(low, top)
    return drawing


def _label_rows(panel: Panel, exact: Posterior) -> tuple[_Row, ...]:
    rows = _parameters(panel, exact)
    if panel.model.ordered or not isinstance(exact, Exact):
        return rows
    smaller = exact.smaller
    sorted_ = replace(
        rows[0],
        name="smaller mean",
        values=curves.relabel(panel.draws.means)[..., 0],
        mean=smaller.mean,
        sd=smaller.sd,
    )
    return replace(rows[0], name="mean 1, labelled"), sorted_


def agreement(panels: Sequence[Panel], _: Posterior) -> Figure:
    """R-hat with and without labels, ESS, and ESS per second, one line a run."""
    drawing = style.figure(1.5 + 0.42 * len(panels))
    left, middle, right = drawing.subplots(1, 3, sharey=True, width_ratios=(1, 1.1, 0.9))
    for row, panel in enumerate(panels):
        _dots(left, row, panel, _RHATS)
        _dots(middle, row, panel, _ESSES)
        _speed(right, row, panel)
    left.axvline(RHAT_LIMIT, color=style.EXACT, ls="--", lw=1)
    left.set_xlim(0.98, max(1.06, 1.12 * left.dataLim.x1))
    left.set_xlabel("R-hat (1 = chains agree)")
    left.set_yticks(range(len(panels)), [panel.name for panel in panels])
    left.set_ylim(len(panels) - 0.4, -0.6)
    middle.axvline(LEAST_ESS, color=style.EXACT, ls="--", lw=1)
    middle.set_xscale("log")
    few = middle.dataLim.x1 < 10 * middle.dataLim.x0
    _plain_log(middle, (1.0, 2.0, 5.0) if few else (1.0,))
    middle.margins(x=0.2)
    middle.set_xlabel("effective draws (log scale)")
    right.set_xlim(0, 1.35 * right.dataLim.x1 if right.dataLim.x1 > 0 else 1)
    right.set_xlabel("effective draws per second (1 / s)")
    right.xaxis.set_major_formatter("{x:,.0f}")
    right.locator_params(axis="x", nbins=4)
    style.title(left, "R-hat")
    style.title(middle, "ESS, label-invariant")
    style.title(right, "ESS / s, valid runs only")
    for axes in (left, middle):
        axes.grid(visible=True, axis="x")
        axes.margins(y=0.2)
    handles = [
        Line2D([], [], marker=marker, color=colour, ls="", mfc="none", mew=1.6, label=label)
        for marker, colour, label in (*_RHATS.values(), *_ESSES.values())
    ]
    limit = f"limits: {RHAT_LIMIT}, {LEAST_ESS:.0f}"
    handles.append(Line2D([], [], color=style.EXACT, ls="--", lw=1, label=limit))
    drawing.legend(handles=handles, loc="outside lower center", ncols=5, handletextpad=0.3)
    return drawing


def _dots(axes: Axes, row: int, panel: Panel, marks: Mapping[str, _Mark]) -> None:
    for offset, (metric, (marker, colour, _)) in zip((-0.14, 0.14), marks.items(), strict=True):
        value = panel.shown(metric)
        if value is None or not np.isfinite(value):
            continue
        place = row + offset
        axes.plot(value, place, marker=marker, color=colour, mfc="none", mew=1.6, ms=6.5)
        text = f"{value:.3f}" if metric.startswith("rhat") else number(value)
        axes.annotate(
            text,
            (value, place),
            (7, 0),
            textcoords="offset points",
            va="center",
            size=9,
            bbox=_HALO,
        )


def _plain_log(axes: Axes, subs: tuple[float, ...] = (1.0,)) -> None:
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


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

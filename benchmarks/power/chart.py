"""The figure: power by size of change and by rule, time to the answer, and the noise itself."""

import numpy as np
from blocks import log_ratios
from long import BUDGET, ESS, FAULTS, Long
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from shares import Share, share
from short import CLOCK, PAIR, Short

from gmixbench.report import style

OWN = "compare"

MARKS = {
    OWN: (style.BLUE, "o", "-"),
    "asv": (style.VERMILLION, "s", (0, (5, 1.5))),
    "pytest-benchmark": (style.GREEN, "^", (0, (1, 1.2))),
    "t-test": (style.PURPLE, "D", (0, (4, 1.2, 1, 1.2))),
}
"""Colour, marker and line of a rule."""

NOISE = 25.0
"""Per cent to either side at which the histogram ends; what is beyond stands in its last bars."""


def chart(short: Short, long: Long) -> Figure:
    """Four panels; to be drawn in the house style."""
    drawing = style.figure(7.6)
    (by_size, by_rule), (times, noise) = drawing.subplots(2, 2)
    _by_size(by_size, short)
    _by_rule(by_rule, long)
    _times(times, long)
    _noise(noise, short, long)
    return drawing


def _by_size(axes: Axes, short: Short) -> None:
    for step, (name, (colour, marker, line)) in enumerate(MARKS.items()):
        found = [
            share(
                (own.verdicts.get(CLOCK) if name == OWN else others[name][CLOCK]) == "regressed"
                for own, others in some
            )
            for some in short.slowed.values()
        ]
        at = [100 * effect + 0.25 * (step - 1.5) for effect in short.slowed]  # side by side
        low, high = np.array([each.interval for each in found]).T * 100
        axes.vlines(at, low, high, color=colour, linewidth=1.2, alpha=0.6)
        axes.plot(
            at, [100 * each.share for each in found], color=colour, marker=marker, linestyle=line,
            markersize=4.5, label=name,
        )  # fmt: skip
    axes.set_xlabel("clock of the new side multiplied: slower by, %")
    axes.set_ylabel("called regressed, %")
    axes.set_ylim(-3, 103)
    axes.grid(visible=True)
    axes.legend(loc="lower right")
    style.title(
        axes, f"{len(short.groups)} real comparisons of {len(short.groups[0])} short blocks"
    )


def _by_rule(axes: Axes, long: Long) -> None:
    again, five, ten, _, sticky = long.trials
    rows = (
        ("again\n(false alarm)", again, CLOCK, ("regressed", "improved")),
        ("slower-5", five, CLOCK, ("regressed",)),
        ("slower-10", ten, CLOCK, ("regressed",)),
        ("sticky-20,\nESS", sticky, ESS, ("regressed",)),
    )
    for step, (name, (colour, marker, _)) in enumerate(MARKS.items()):
        for row, (_, trials, metric, words) in enumerate(rows):
            found = share(
                (each.verdicts[metric] if name == OWN else each.late[name][metric]) in words
                for each in trials
            )
            _dot(axes, found, row + 0.17 * (step - 1.5), colour, marker, name if not row else "")
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-3, 103)
    axes.set_xlabel("called changed (again) or regressed, %")
    axes.grid(axis="x")
    style.title(axes, f"Resampled from long blocks, {BUDGET / 60:.0f} minutes")


def _dot(axes: Axes, found: Share, at: float, colour: str, marker: str, label: str) -> None:
    low, high = found.interval
    axes.plot([100 * low, 100 * high], [at, at], color=colour, linewidth=1.6)
    axes.plot(100 * found.share, at, marker, color=colour, markersize=5, label=label)


def _times(axes: Axes, long: Long) -> None:
    colours = (style.BLUE, style.VERMILLION, style.INK, style.SKY, style.GREEN)
    for fault, trials, colour in zip(FAULTS, long.trials, colours, strict=True):
        ends = sorted(each.seconds / 60 for each in trials if each.outcome.answered)
        shares = 100 * np.arange(len(ends) + 1) / len(trials)
        line = "-" if fault.band == FAULTS[0].band else (0, (3, 1.5))
        axes.step(
            [0, *ends, BUDGET / 60], [*shares, shares[-1]], where="post", color=colour,
            linestyle=line, label=fault.name,
        )  # fmt: skip
    axes.set_xlim(0, BUDGET / 60)
    axes.set_ylim(-3, 150)  # room for the legend, wherever the lines go
    axes.set_yticks(range(0, 101, 20))
    axes.set_xlabel("minutes of the two sides' processes")
    axes.set_ylabel("answered, %")
    axes.grid(visible=True)
    axes.legend(loc="upper left", ncols=2)
    style.title(axes, "Time to the answer, resampled")


def _noise(axes: Axes, short: Short, long: Long) -> None:
    blocks = [block for group in short.groups for block in group]
    edges = np.linspace(-NOISE, NOISE, 51)
    drawn = (
        ("short blocks", log_ratios(blocks, PAIR, CLOCK), style.ORANGE, "-"),
        ("long blocks", log_ratios(long.blocks, FAULTS[0].pair, CLOCK), style.BLUE, (0, (4, 1.5))),
    )
    for name, ratios, colour, line in drawn:
        changes = np.clip(100 * np.expm1(ratios), -NOISE, NOISE)
        counts, _ = np.histogram(changes, edges)
        axes.stairs(
            100 * counts / len(changes), edges, color=colour, linestyle=line, linewidth=1.5,
            label=f"{name}: {len(changes):,}",
        )  # fmt: skip
    axes.set_xlim(-NOISE, NOISE)
    axes.set_xlabel("equal sides: new against old clock, %; last bars: all beyond")
    axes.set_ylabel("share of the blocks, %")
    axes.grid(visible=True)
    axes.legend(loc="upper right")
    style.title(axes, "Noise of one block")

"""The page of costs as the data grow, its figure, `scale.json`, and the same in Markdown."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gmixbench.disk import SCHEMA, write_bytes
from gmixbench.report import markdown, scale, style
from gmixbench.report.html import Caption, Image, drawn, template
from gmixbench.report.numbers import number
from gmixbench.ruler.growth import BAND, CONFIDENCE
from gmixbench.ruler.scale import Row, Size

STEM = "scale"

CAPTION = Caption(
    "What does a gradient cost as the data grow?",
    "A point is one fresh process: the median of rounds of calls of the compiled log density and "
    "gradient, from a point in NumPy to arrays of the library. Overhead keeps a line flat at the "
    "left; beyond it the dashed line shows what is proportional to the data.",
    (),
)

READING = (
    (
        "Time is in CPU seconds of the process on one core, which a neighbour does not "
        "stretch by its share of the core; wall/CPU says by how much it did stretch the wall "
        "clock at the largest size. The call's own overhead is in it, a sampler's is not. The"
        " curve is overhead + factor × n^power, fitted to the log medians; "
        "behind the power, its "
        f"{100 * CONFIDENCE:.0f} % interval by the bootstrap over the rounds of one process each. "
        "Growth is "
        f"linear where that lies within {BAND:g} of 1. The overhead is the larger part up "
        "to the n named. How far a size's median is from the curve at the most ("
        '"fit off by") tells whether it may be read at all; "ns per n" are nanoseconds an '
        "observation at a row's largest size."
    ),
    (
        "Memory is the most that the process held while it evaluated, less what it held "
        "before the model was built: what compiling left is in it, and the library's own copy"
        " of the observations. Bytes an observation are those between the two largest sizes. "
        "The peak of all is that of the whole process, compiling included."
    ),
    (
        "Data are quantiles of the mixture that the package's data sets are drawn from, in a "
        "fixed order (lab/quantiles.py). At every size the timed function was held against "
        "the written density at 50 points around the posterior of the smallest size, where a "
        "gradient of more data is large and no rest of terms that cancel; the density error is the "
        "largest of all sizes, and a size where it exceeds 1e-10 has no time. The row of nutpie "
        "shows the function that PyMC compiles for it, and that of a route to another sampler "
        "likewise: such rows differ by noise alone."
    ),
)


def write_scale(out: Path, rows: Sequence[Row], environment: Mapping[str, str]) -> Path:
    """Write `scale.html`, `scale.json` and `figures/scale.png` under `out`.

    Returns
    -------
    Path of the page.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; no file is left half-written.
    """
    images = []
    if any(row.right for row in rows):
        with style.house_style():
            source = drawn(out, STEM, scale.figure(rows))
        words = f"{CAPTION.question} {CAPTION.guide}"
        images = [Image(STEM, source, words, CAPTION)]
    content = {
        "schema": SCHEMA,
        "environment": dict(environment),
        "rows": [_row(row) for row in rows],
    }
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_bytes(out / "scale.json", text.encode())
    page = template("scale.html.j2").render(
        images=images,
        tables=scale.listings(rows),
        ends=[(row.name, row.end) for row in rows if row.end],
        remarks=scale.remarks(rows),
        reading=READING,
        load=busy(rows, environment),
        environment=environment,
    )
    path = out / "scale.html"
    write_bytes(path, page.encode())
    return path


def busy(rows: Sequence[Row], environment: Mapping[str, str]) -> str:
    """What else the machine did, by its load average: about 1 is this alone."""
    loads = [size.load for row in rows for size in row.sizes if size.load is not None]
    if not loads:
        return "The machine's load is not known."
    cores = environment.get("cores", "an unknown number of")
    return (
        f"Load average {number(min(loads))} to {number(max(loads))} on {cores} cores while this "
        "was measured; about 1 would be this alone."
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """All tables, what ended rows or is not told of them, and how all is read."""
    blocks = []
    for each in scale.listings(rows):
        under = "|" + "---|" * len(each.heads)
        lines = [markdown.row(each.heads), under, *map(markdown.row, each.lines)]
        blocks.append("\n".join([f"**{each.title}**", "", *lines]))
    told = [(row.name, row.end) for row in rows if row.end] + scale.remarks(rows)
    ends = [f"- {markdown.text(name)}: {markdown.text(words)}" for name, words in told]
    return "\n\n".join([*blocks, *(["\n".join(ends)] if ends else []), *READING]) + "\n"


def _row(row: Row) -> dict[str, Any]:
    return {
        "row": row.name,
        "end": row.end,
        "time": _finite(asdict(row.time)) if row.time else None,
        "growth": row.time.shape if row.time else None,
        "memory": _finite(asdict(row.memory)) if row.memory else None,
        "sizes": [_size(size) for size in row.sizes],
    }


def _size(size: Size) -> dict[str, Any]:
    told = {
        "n": size.n,
        "valid": not size.truth.faults,
        "reasons": list(size.truth.faults),
        "density_error": size.truth.error,
        "call_cpu_s": size.call_s,
        "call_s": None if size.wall is None else float(np.median(size.wall)),
        "memory": size.memory,
        "peak_memory": size.peak_memory,
        "compile_s": size.compile_s,
        "total_s": size.total_s,
        "load": size.load,
    }
    return _finite(told)


def _finite(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in told.items()
    }

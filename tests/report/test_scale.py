"""The page of costs as the data grow."""

import json
import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from gmixbench.report import scale, style
from gmixbench.report.scale_page import as_markdown, write_scale
from gmixbench.ruler.scale import Size, Truth, row

SIZES = (100, 1_000, 10_000, 100_000)


def size(n, factor=1.0, faults=()):
    rounds = None if faults else factor * (1e-5 + 1e-8 * n) * np.linspace(0.99, 1.01, 20)
    return Size(
        n=n,
        truth=Truth(1e-14, faults),
        cpu=rounds,
        wall=None if rounds is None else 2 * rounds,
        memory=10**6 + 24 * n,
        peak_memory=10**8,
        compile_s=None if faults else 1.0,
        total_s=None if faults else 9.0,
        load=3.5,
    )


@pytest.fixture
def rows():
    return (
        row("a, ordered", [size(n) for n in SIZES], []),
        row("b, ordered", [size(100), size(1_000, faults=("<b>density</b> is off",))], []),
    )


def test_figure_names_every_row_and_has_a_guide(rows):
    with style.house_style():
        drawing = scale.figure(rows)
        drawing.draw_without_rendering()
    (legend,) = drawing.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a, ordered", "b, ordered"]
    for axes in drawing.axes:
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "slope 1" in [text.get_text() for text in drawing.axes[0].texts]


def test_what_guides_the_eye_stretches_no_axis(rows):
    short = row("a, ordered", [size(100), size(1_000)], [])
    memory = [size.memory / 1e6 for each in rows for size in each.right]
    with style.house_style():
        left, right = scale.figure(rows).axes
        low, high = right.get_ylim()
        assert low > min(memory) / 2
        assert high < max(memory) * 2
        assert left.get_xlim()[0] > 50
        assert scale.figure([short]).axes[0].get_xlim()[0] > 50


def test_no_two_rows_look_the_same():
    many = [row(str(place), [size(100), size(1_000)], []) for place in range(30)]
    with style.house_style():
        lines = scale.figure(many).axes[0].lines[:30]
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    assert len(looks) == 30


def test_what_is_wrong_has_no_point(rows):
    with style.house_style():
        left = scale.figure(rows).axes[0]
    drawn = {line.get_label(): len(line.get_xdata()) for line in left.lines}
    assert drawn["a, ordered"] == 4
    assert drawn["b, ordered"] == 1


def test_page_and_json_say_what_ended_a_row(tmp_path, rows, read_page):
    path = write_scale(tmp_path, rows, {"cpu": "X", "cores": "2"})
    page = read_page(path)
    assert "wrong at n = 1,000: <b>density</b> is off" in page.text
    assert "Load average 3.50 to 3.50 on 2 cores" in page.text
    assert len(page.images) == 1
    assert all(target.startswith(("data:", "#")) for target in page.targets)
    told = json.loads((tmp_path / "scale.json").read_text())["rows"]
    assert told[0]["growth"] == "linear"
    assert told[1]["sizes"][1]["call_s"] is None
    assert told[1]["sizes"][1]["valid"] is False


def test_rows_without_a_right_size_leave_a_page_without_a_figure(tmp_path, read_page):
    bad = row("c", [size(100, faults=("off",))], [])
    page = read_page(write_scale(tmp_path, [bad], {}))
    assert page.images == []
    assert "wrong at n = 100: off" in page.text


def test_tables_are_the_same_in_markdown(rows):
    text = as_markdown(rows)
    assert "| a, ordered | 11.0 µs |" in text
    assert "| wrong |" in text
    assert "| 2 | 1.0e-14 |" in text  # wall/CPU, density error


def test_why_a_growth_is_not_told_is_said(tmp_path, read_page):
    noisy = [size(n, factor=2.0 if n == 100_000 else 1.0) for n in SIZES]
    noisy = [replace(each, cpu=each.cpu * np.geomspace(0.5, 2, 20)) for each in noisy]
    flat = [replace(size(n), cpu=np.linspace(1.0, 1.1, 20)) for n in SIZES]
    some = [
        row("few", [size(n) for n in SIZES[:3]], []),
        row("flat", flat, []),
        row("noisy", noisy, []),
        row("linear", [size(n) for n in SIZES], []),
    ]
    few, hidden, undecided = scale.remarks(some)
    assert few == ("few", "growth is not told: 3 sizes were timed, 4 are needed")
    assert hidden[1].startswith("growth is not told: what grows with the data is hidden")
    assert re.match(
        r"growth is undecided: the 95 % interval of its power, \d\.\d\d to \d\.\d\d, lies neither "
        r"within 0\.9 to 1\.1 nor beyond; larger sizes",
        undecided[1],
    )
    assert f"- few: {few[1]}" in as_markdown(some)
    assert undecided[1] in read_page(write_scale(tmp_path, some, {})).text


def test_each_head_of_growth_is_explained():
    assert all(f"{head}: " in scale.LEGEND for head in scale.GROWN if head != "overhead")


def test_tables_fit_a_terminal_of_80_columns(rows):
    for table in scale.tables(rows):
        console = Console(width=80, file=StringIO())
        console.print(table)
        lines = console.file.getvalue().splitlines()
        body = [line for line in lines if ", ordered" in line]
        assert len(body) == len(rows), lines

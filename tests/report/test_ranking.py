"""The page that ranks samplers, with as many rows as there may be."""

from dataclasses import replace
from io import StringIO
from itertools import pairwise
from math import inf

import pytest
from rich.console import Console

from gmixbench.record import Failure
from gmixbench.report import ranking, style
from gmixbench.report.ranking_page import write_ranking
from gmixbench.report.ranking_table import as_markdown, for_terminal, interval
from gmixbench.ruler.ranking import BARE, Estimate, Left, Ranking, Row
from gmixbench.ruler.verdict import judge
from gmixbench.spec import GENERAL


@pytest.fixture
def found():
    def row(place):
        speed = Estimate(1e5 / 2**place, 0.8e5 / 2**place, 1.2e5 / 2**place)
        told = {"ess_per_second": speed, "seconds_per_gradient": Estimate(1e-6, 1e-6, 1e-6)}
        if place % 3:
            del told["seconds_per_gradient"]
        return Row(f"backend-{place}", f"backend-{place}", 3, told)

    return Ranking((Row("exact", "exact", 3, row(0).estimates), *(row(k) for k in range(15))), ())


def test_every_row_is_named_and_the_limit_is_a_line(found):
    with style.house_style():
        drawing = ranking.ranking(found)
        left, right = drawing.axes
        drawing.draw_without_rendering()
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == [f"backend-{k}" for k in range(15)]
    dashed = [line for line in left.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 1
    assert sum(text.get_text() == "not told" for text in right.texts) == 15


def test_each_row_of_one_chain_at_a_time_has_the_pace_of_a_bare_gradient(found):
    bare = Estimate(0.5e-6, 0.4e-6, 0.6e-6)
    rows = tuple(
        replace(row, estimates={**row.estimates, "ess_per_gradient": Estimate(0.1, 0.1, 0.1)})
        for row in found.rows
    )
    first = replace(rows[1], estimates={**rows[1].estimates, BARE: bare})
    slower = replace(rows[2], estimates={**rows[2].estimates, BARE: Estimate(1e-6, 1e-6, 1e-6)})
    told = Ranking((rows[0], first, slower, *rows[3:]), ())
    with style.house_style():
        speed, factors = ranking.ranking(told), ranking.factors(told)
    hollow = [line for line in speed.axes[0].lines if line.get_marker() == "D"]
    alone = [place for place in range(15) if place % 3 == 0]  # others run chains at once
    assert [line.get_xdata()[0] for line in hollow] == pytest.approx([0.1 / bare.middle] * 5)
    assert [line.get_ydata()[0] for line in hollow] == alone
    (dotted,) = (line for line in factors.axes[1].lines if line.get_color() == style.VERMILLION)
    assert dotted.get_xdata()[0] == pytest.approx(1 / bare.middle)
    named = [
        [text.get_text() for text in drawing.legends[0].get_texts()] for drawing in (speed, factors)
    ]
    gradient = "pace of a bare gradient: 0.500 µs, by backend-0"
    assert named == [["limit: independent exact draws", gradient], [gradient]]


def test_numbers_stand_in_a_column_where_no_mark_can_be(found):
    with style.house_style():
        drawing = ranking.ranking(found)
        drawing.draw_without_rendering()
        left, right = drawing.axes
        boxes = [text.get_window_extent() for text in left.texts]
    assert len({round(box.x1) for box in boxes}) == 1
    assert min(box.x0 for box in boxes) > left.bbox.x1
    assert max(box.x1 for box in boxes) < right.bbox.x0


@pytest.mark.parametrize("spread", [1.02, 1.3, 3.0, 8.0, 70.0, 1e5])
def test_ticks_are_plain_numbers_that_do_not_touch(spread):
    rows = tuple(
        Row(name, name, 3, {"ess_per_gradient": Estimate(middle, middle, middle)})
        for name, middle in (("a", 0.115 * spread), ("b", 0.115))
    )
    with style.house_style():
        drawing = ranking.factors(Ranking(rows, ()))
        drawing.draw_without_rendering()
        axes = drawing.axes[0]
        shown = [
            label
            for label in (*axes.get_xticklabels(), *axes.get_xticklabels(minor=True))
            if label.get_text() and axes.bbox.x0 <= label.get_window_extent().x1 <= axes.bbox.x1
        ]
        boxes = sorted((label.get_window_extent().x0, label.get_window_extent().x1)
                       for label in shown)  # fmt: skip
    assert len(shown) >= 2
    assert all(float(label.get_text().replace(",", "")) > 0 for label in shown)
    assert all(one[1] < other[0] for one, other in pairwise(boxes))


def test_a_table_fits_a_terminal_of_80_columns(found):
    long = replace(found, rows=tuple(replace(r, name="numpyro-vectorized") for r in found.samplers))
    console = Console(width=80, file=StringIO())
    console.print(for_terminal("ordered on close", long))
    told = [line for line in console.file.getvalue().splitlines() if "numpyro-vectorized" in line]
    assert len(told) == len(found.samplers)
    assert "100,000" in told[0]
    assert "±20 %" in told[0]


@pytest.mark.parametrize("name", ["pymc", "numpyro-vectorized enumerated (limit)"])
def test_no_word_of_a_head_and_no_number_is_broken_in_80_columns(found, name):
    told = ("ess_per_second", "time_to_ess_1000", "ess_per_gradient", "compile_s", "warmup_s")
    estimates = {metric: Estimate(0.0345, 0.01, 0.3) for metric in told}
    speed = {"ess_per_second": Estimate(162e3, 8e4, 3.2e5)}
    wide = replace(found.samplers[0], name=name, estimates=estimates | speed)
    console = Console(width=80, file=StringIO())
    console.print(for_terminal("ordered on close", replace(found, rows=(wide,))))
    text = console.file.getvalue()
    _, first, second, body, *_ = text.splitlines()
    assert first.split() == ["time", "to", "ESS", "per", "time", "per"]
    assert second.split()[:3] == ["ESS/s", "95", "%"]
    assert second.split()[3:] == ["ESS", "1000", "gradient", "gradient", "compile", "warm-up"]
    assert " ".join(body.split()).endswith("162,000 ×÷ 2.0 34.5 ms 0.0345 – 34.5 ms 34.5 ms")
    assert all(word in text for word in name.split())


def test_an_interval_is_a_share_a_factor_or_none():
    assert interval(Estimate(100, 80, 125)) == "±25 %"
    assert interval(Estimate(100, 33, 300)) == "×÷ 3.0"
    assert interval(Estimate(100, 0, inf)) == "–"


def test_markdown_has_the_same_cells_and_who_is_left(found):
    first, second, *others = found.rows
    rows = (first, replace(second, note="seed 1 left out, invalid: *little*"), *others)
    text = as_markdown(replace(found, rows=rows, left=(Left("bad", "invalid: *much*"),)))
    assert "| backend-0 | 3 | 100,000 | ±20 % | – | – | 1 µs | – | – |" in text
    assert "- bad: no rank, invalid: \\*much\\*" in text
    assert "- backend-0: seed 1 left out, invalid: \\*little\\*" in text


def test_rows_do_not_overlap(found):
    with style.house_style():
        drawing = ranking.factors(found)
        drawing.draw_without_rendering()
        boxes = [label.get_window_extent() for label in drawing.axes[0].get_yticklabels()]
    tops = sorted((box.y0, box.y1) for box in boxes)
    assert all(below[1] < above[0] for below, above in pairwise(tops))


def test_page_ranks_and_says_who_is_left(tmp_path, nuts, read_page):
    results = [
        nuts("ordered", name, seed=seed) for name in ("pymc", "numpyro") for seed in (0, 1, 2)
    ]
    verdict = replace(results[0].verdict, valid=False, reasons=("bias: <i>far</i> off",))
    results[0] = replace(results[0], verdict=verdict)
    failed = replace(results[0].run.case, backend="broken")
    path = write_ranking(
        tmp_path, results, [Failure(failed, "exception", "<b>no</b>")], {"cpu": "X"}
    )
    page = read_page(path)
    assert "held against the exact posterior; what is not" in page.text
    assert "ordered on close" in page.text
    assert "exception: <b>no</b>" in page.text
    assert "seed 0 left out, invalid: bias: <i>far</i> off" in page.text
    assert "where labels are sampled, the sweep over them is in it" in page.text
    assert len(page.images) == 2
    assert all(target.startswith(("data:", "#")) for target in page.targets)


def test_a_general_mixture_is_held_against_a_reference(tmp_path, nuts, read_page):
    case = nuts("ordered").run.case
    cases = (replace(case, model=GENERAL["ordered_full"]), case)
    failures = [Failure(each, "exception", "no") for each in cases]
    reference = "a reference by long runs (that of ordered_full)"
    told = read_page(write_ranking(tmp_path, [], failures[:1], {})).text
    assert f"held against {reference};" in told
    told = read_page(write_ranking(tmp_path, [], failures, {})).text
    assert f"held against the exact posterior or {reference};" in told


def test_captions_tell_what_is_drawn(tmp_path, nuts, exact, read_page):
    def told(*results):
        return read_page(write_ranking(tmp_path, results, [], {})).text

    one, limit = nuts("ordered", "one"), nuts("ordered", "exact")
    assert "dashed line" not in told(one)
    assert "hollow mark" not in told(one).lower()
    assert "Dotted" not in told(one)
    both = told(one, limit)
    assert "The dashed line is the limit" in both
    assert "exact (limit)" in both
    timing = replace(one.run.timing, gradient_s=1e-6)
    bare = told(judge(replace(one.run, timing=timing), exact))
    assert "A hollow mark is" in bare
    assert "Dotted is the pace of a bare gradient" in bare


def test_names_in_the_page_are_addresses(tmp_path, nuts, read_page):
    path = write_ranking(tmp_path, [nuts("ordered", dataset="my own/data")], [], {})
    assert "#my_own_data-ordered" in read_page(path).targets
    assert (tmp_path / "figures" / "my_own_data-ordered-ranking.png").exists()

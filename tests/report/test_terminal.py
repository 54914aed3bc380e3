"""Tables for a terminal: no number is cut, whatever the names."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from gmixbench.record import Failure
from gmixbench.report.numbers import number
from gmixbench.report.terminal import reasons, tables


@pytest.fixture
def printed():
    def show(results):
        console = Console(width=80, file=StringIO())
        for table in tables(results):
            console.print(table)
        return console.file.getvalue()

    return show


def test_no_number_is_cut_where_names_are_long(printed, nuts):
    results = [
        nuts(model, "numpyro-vectorized", seed=seed)
        for model in ("unordered", "ordered")
        for seed in (1, 2, 3)
    ]
    text = printed(results)
    assert "…" not in text
    for judged in results:
        assert f" {number(judged.scores.metrics['ess_per_second'])} " in text


def test_what_all_rows_share_is_said_once(printed, nuts):
    both = printed([nuts("unordered", "pymc"), nuts("ordered", "pymc")])
    assert both.startswith("NUTS ")
    assert both.count("ordered") == 2
    one = printed([nuts("ordered", "pymc"), nuts("ordered", "numpyro")])
    assert one.startswith("NUTS, ordered")
    assert one.count("ordered") == 1


def with_settings(judged, **changes):
    case = judged.run.case
    case = replace(case, settings=replace(case.settings, **changes))
    return replace(judged, run=replace(judged.run, case=case))


def test_runs_of_two_profiles_are_told_apart(printed, nuts):
    quick = nuts("unordered", "pymc")
    long = with_settings(quick, draws=5000)
    case = long.run.case
    assert "chains" not in printed([quick])
    text = printed([quick, long])
    assert "chains" in text
    assert "4 × 5,000" in text
    both = list(reasons([quick, long], [Failure(case, "crash", "gone")]))
    assert both[-1] == "close unordered pymc nuts seed 0 4 × 5,000: failed (crash): gone"
    (alone,) = reasons([], [Failure(case, "crash", "gone")])
    assert alone == "close unordered pymc nuts seed 0: failed (crash): gone"


def test_starts_that_differ_are_told(printed, nuts):
    far = nuts("unordered", "pymc")
    assert "starts" not in printed([far])
    assert "one-mode" in printed([far, with_settings(far, starts="one-mode")])

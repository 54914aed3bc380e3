"""Tables for a terminal: no number is cut, whatever the names."""

from io import StringIO

import pytest
from rich.console import Console

from gmixbench.report.numbers import number
from gmixbench.report.terminal import tables


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

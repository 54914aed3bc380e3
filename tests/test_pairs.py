"""What is told of pairs of releases is what their comparisons hold."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.report.comparison.markdown import comparison_markdown

PAIRS = Path(__file__).parents[1] / "benchmarks" / "pairs"


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.syspath_prepend(str(PAIRS))
    return importlib.import_module("ask")


def test_the_page_is_made_of_what_was_measured(ask):
    assert ask.page(PAIRS) == (PAIRS / "README.md").read_text(encoding="utf-8")


def test_every_pair_was_measured_and_is_right(ask):
    for pair in ask.PAIRS:
        outcome = ask._outcome(PAIRS, pair)
        assert outcome is not None, pair.name
        assert outcome.valid, pair.name
        assert outcome.blocks >= 13, pair.name
        assert comparison_markdown(outcome).startswith("## gmixbench: ")


def test_what_is_found_is_held_against_the_claim(ask):
    told = {pair.name: ask.agrees(pair, ask._outcome(PAIRS, pair)) for pair in ask.PAIRS}
    assert told["numpyro-0.15.2-0.15.3"] == "agrees"
    assert told["numpyro-0.20.1-0.21.0"].startswith(
        "can't be tested here: the claim is about a GPU"
    )
    slower = next(pair for pair in ask.PAIRS if pair.name == "numpyro-0.15.2-0.15.3")
    outcome = ask._outcome(PAIRS, slower)
    assert ask.agrees(replace(slower, expected="improved"), outcome) == "disagrees"
    assert ask.agrees(slower, replace(outcome, findings=())) == "is open"


def test_what_was_not_measured_is_left_out(ask, tmp_path):
    page = ask.page(tmp_path)
    assert not any(pair.name in page for pair in ask.PAIRS)

"""The page: all of an outcome is in it, and of what is invalid no speed."""

import base64
import re

import pytest

from gmixbench.report.comparison.page import write_comparison
from gmixbench.report.comparison.rows import sections
from gmixbench.report.comparison.words import sentences
from gmixbench.ruler.comparison.looks import looks
from gmixbench.ruler.metrics import METRICS


@pytest.fixture(scope="module")
def path(outcome_of, tmp_path_factory):
    return write_comparison(tmp_path_factory.mktemp("two"), outcome_of("two"))


@pytest.fixture(scope="module")
def page(path, read_page):
    return read_page(path)


@pytest.fixture
def written(outcome_of, tmp_path, read_page, monkeypatch):
    # Figures are made but not turned into pixels, which is what takes time: see test_figures.py.
    monkeypatch.setattr("gmixbench.report.style.png", lambda _: b"")
    return lambda case: read_page(write_comparison(tmp_path / case, outcome_of(case)))


def _plain(text):
    return " ".join(text.split())


def test_figures_are_in_the_page_and_beside_it(path, page):
    files = {file.stem: file.read_bytes() for file in (path.parent / "figures").glob("*.png")}
    assert set(files) == {"forest", "blocks-unordered-nuts", "blocks-ordered-nuts"}
    embedded = [base64.b64decode(image["src"].split(",", 1)[1]) for image in page.images]
    assert sorted(embedded) == sorted(files.values())
    assert all(len(image["alt"]) > 40 for image in page.images)


def test_page_needs_no_network_and_no_script_and_is_light(path, page):
    assert path.name == "compare.html"
    assert "script" not in page.tags
    assert all(target.startswith(("data:", "#")) for target in page.targets)
    assert path.stat().st_size < 2e6


def test_links_lead_somewhere(path, page):
    ids = set(re.findall(r'id="([^"]+)"', path.read_text(encoding="utf-8")))
    assert {target[1:] for target in page.targets if target.startswith("#")} <= ids


def test_page_has_the_sentences_every_number_and_where_they_come_from(outcome_of, page):
    outcome = outcome_of("two")
    for sentence in sentences(outcome):
        assert _plain(sentence) in page.text
    for section in sections(outcome):
        for row in section.rows:
            told = f"{row.metric} {row.old} {row.new} {row.change} {row.band} {row.symbol}"
            assert f"{told} {row.verdict} {row.blocks}" in page.text
            assert METRICS[row.metric].definition in page.text
    listed = ", ".join(map(str, looks(30)))
    for words in ("Some CPU, 2 cores", "pymc 6.3.2 → 6.4.0", f"here at {listed};"):
        assert words in page.text
    assert "chains 4, warmup 2000, draws 5000" in page.text


def test_every_check_of_both_sides_is_pooled(page):
    # 0.7 and two fifths of 0.003 / sqrt(13), of 25 blocks at the last look
    row = "mean of the larger mean 0.70000 0.70033 0.6 0.70033 0.6"
    assert page.text.count(row) == 2
    assert page.text.count("sd of the log density 0.70000") == 2


@pytest.mark.parametrize("case", ["invalid", "failed", "none"])
def test_of_what_is_invalid_no_speed_is_shown(written, outcome_of, case):
    page = written(case)
    assert not page.images
    assert "no speed is shown" in page.text
    assert ("✗ invalid" if case == "invalid" else "? not measured") in page.text
    for section in sections(outcome_of("valid")):
        for row in section.rows:
            for cell in (row.metric, row.old, row.new, row.change):
                assert cell not in page.text


def test_the_check_that_is_beyond_its_limit_stands_out(outcome_of, tmp_path):
    text = write_comparison(tmp_path, outcome_of("invalid")).read_text(encoding="utf-8")
    assert text.count('<td class="beyond">9.3</td>') == 2
    assert text.count('class="beyond"') == 2


def test_steps_are_told_and_folded(written):
    page = written("steps")
    assert "pytensor 2.28.1 → 2.30.0 carries it" in page.text
    assert "unordered nuts, step: pytensor 2.28.1 → 2.30.0" in page.text
    assert "--hold-dependencies" not in page.text  # that is done


@pytest.mark.parametrize("case", ["foreign", "foreign failure"])
def test_a_foreign_name_is_text(written, case, foreign):
    page = written(case)
    assert foreign in page.text
    assert "b" not in page.tags


@pytest.mark.browser
def test_chromium_shows_it_on_a_screen_and_on_a_phone_without_a_word(path, page, browser):
    assert browser.complaints(path) == []
    for width in (1200, 500):
        widths, over = browser.look(path, width)
        assert len(widths) == len(page.images)
        assert min(widths) > 1000
        assert over <= 0


def test_what_was_dropped_takes_no_check_from_the_others(written):
    """A variant in between that left nothing has no column, and the ends have theirs."""
    page = written("middle failed")
    assert "quantity exact A z B z D z" in " ".join(page.text.split())

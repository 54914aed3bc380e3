"""The terminal's tables and the Markdown: all is there, in order, and nothing foreign in it."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from rich.markup import escape

from gmixbench.report.comparison.floors import floors_table
from gmixbench.report.comparison.markdown import comparison_markdown
from gmixbench.report.comparison.rows import sections
from gmixbench.report.comparison.terminal import comparison_lines
from gmixbench.ruler.comparison.confirm import confirmed
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.comparison.judge import judge


def _printed(lines, width=80):
    file = io.StringIO()
    console = Console(width=width, file=file)
    for line in lines:
        console.print(line, soft_wrap=isinstance(line, str), highlight=False)
    return file.getvalue()


def terminal(outcome, width=80):
    return _printed(comparison_lines(outcome), width)


TEXTS = {"terminal": terminal, "markdown": comparison_markdown}


@pytest.mark.parametrize("width", [80, 120])
def test_a_row_is_a_line_with_everything_in_it(outcome_of, width):
    outcome = outcome_of("slower")
    lines = terminal(outcome, width).splitlines()
    (row,) = (line for line in lines if line.startswith("seconds_per_gradient"))
    assert re.match(r"seconds_per_gradient 31.0 µs 35.[34] µs \+14 % \[\+\d+, \+\d+\] ", row)
    assert row.split()[-4:] == ["2", "%", "regressed", str(outcome.whole[0].blocks)]
    starts = ("seconds", "ess", "draws", "warmup", "compile", "time", "import", "peak")
    rows = [line for line in lines if line.startswith(starts)]
    assert len(rows) == 9
    assert all(len(line.rstrip()) <= width for line in rows)


def test_right_or_wrong_comes_first_then_sentences_tables_and_what_differs(outcome_of):
    text = terminal(outcome_of("slower"))
    parts = (
        "regressed: 5 of 9 metrics got worse",
        "task           variant valid worst z limit worst in",
        "unordered nuts B       yes       0.6   4.8 mean of the larger mean",
        "ESS/s regressed",
        "unordered nuts: A → B",
        "differs: pymc 6.3.2 → 6.4.0",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.startswith(parts[0])


def test_what_else_differs_is_told_with_what_to_do_about_it(comparison_of, made_values, outcome_of):
    packages = ({"pymc": "6.3.2", "numpy": "2.3"}, {"pymc": "6.4.0", "numpy": "2.4"})
    found = judge(comparison_of({"ordered nuts": made_values({})}, packages=packages))
    assert "numpy 2.3 → 2.4\n--hold-dependencies" in terminal(found)
    assert "--hold-dependencies" not in terminal(outcome_of("slower"))
    old, new = found.comparison.variants
    comparison = replace(found.comparison, variants=(old, replace(new, held=True)))
    held = terminal(replace(found, comparison=comparison))
    assert "--hold-dependencies" not in held
    assert "Dependencies are held" in held
    assert "--attribute" in held
    same = judge(comparison_of({"ordered nuts": made_values({})}, packages=packages[:1]))
    assert "differs: no locked version" in terminal(same)
    assert "No locked version differs." in comparison_markdown(same)


def test_steps_stand_in_a_table_of_what_must_be_answered(outcome_of):
    text = terminal(outcome_of("steps"))
    assert "unordered nuts, by step" in text
    assert re.search(r"pytensor 2.28.1 → 2.30.0 ▼ \+13 % \[[^]]+\] +=  ?the same", text)
    assert re.search(r"numpy 2.3.1 → 2.4.0 +=  ?\+0.9 %", text)


@pytest.mark.parametrize("show", TEXTS.values(), ids=list(TEXTS))
def test_of_what_is_invalid_no_speed_is_shown(outcome_of, show):
    """Each number of the two sides, had they been right, is looked for."""
    speeds = {
        cell
        for section in sections(outcome_of("valid"))
        for row in section.rows
        for cell in (row.metric, row.old, row.new, row.change)
    }
    assert {"31.0 µs", "15.5 µs", "seconds_per_gradient"} <= speeds
    assert all(speed in show(outcome_of("valid")) for speed in speeds)
    text = show(outcome_of("invalid"))
    assert {speed for speed in speeds if speed in text} == set()
    for words in ("invalid", "NO", "9.3", "no speed is shown"):
        assert words in text


@pytest.mark.parametrize("show", TEXTS.values(), ids=list(TEXTS))
def test_what_could_not_be_judged_is_not_called_wrong(outcome_of, show):
    text = show(outcome_of("failed"))
    for words in (
        "not measured: B could" if show is terminal else "gmixbench: not measured",
        "boom",
    ):
        assert words in text
    for words in ("invalid", "NO"):
        assert words not in text


@pytest.mark.parametrize("show", TEXTS.values(), ids=list(TEXTS))
def test_before_the_first_look_nobody_is_called_right(outcome_of, show):
    early, late = show(outcome_of("early")), show(outcome_of("slower"))
    assert early.count("so far") == 2
    for words in ("so far", "nothing is known to be wrong yet"):
        assert words not in late
    for words in ("right on", "yes"):
        assert words not in early
        assert words in late


@pytest.mark.parametrize("show", TEXTS.values(), ids=list(TEXTS))
def test_the_valid_task_beside_it_shows_its_own(outcome_of, show):
    text = show(outcome_of("half invalid"))
    assert "steps_per_second" in text
    for metric in ("seconds_per_gradient", "ess_per_second", "warmup_s"):
        assert metric not in text


def test_markdown_begins_with_the_verdict_and_folds_the_lock_away(outcome_of):
    page = comparison_markdown(outcome_of("steps"))
    first, _, second, *_ = page.splitlines()
    assert first == "## gmixbench: regressed"
    assert second == (
        "5 of 9 metrics got worse, 2 within their bands; 2 not decided: compilation and import; "
        "right on all sides (new against old)."
    )
    row = r"\| seconds_per_gradient \| 31.0 µs \| 35.[34] µs \| \+14 % \[[^]]+\] \| 2 % \| ▼ regr"
    assert re.search(row, page)
    folded = page[page.index("<details>\n<summary>Differs: pymc 6.3.2 → 6.4.0 and 2 more") :]
    assert "- numpy 2.3.1 → 2.4.0\n" in folded
    assert page.count("<details>") == page.count("</details>") == 2
    assert "### unordered nuts: p → t (pytensor 2.28.1 → 2.30.0)" in page


@pytest.mark.parametrize("case", ["foreign", "foreign failure"])
def test_markdown_shows_a_foreign_name_as_text(outcome_of, case, foreign):
    page = comparison_markdown(outcome_of(case))
    assert foreign not in page
    assert "a|b" in page.replace("\\|", "|")
    assert "<b>" not in page
    assert "@you" not in page
    assert "\\*c\\*" in page
    # A backslash is escaped too, so that none of a name takes the cell's end away.
    rows = [
        re.sub(r"\\.", "", line) for line in page.splitlines() if re.match(r"\| \w+ nuts ", line)
    ]
    assert rows
    assert {row.count("|") for row in rows} == {7}


def test_terminal_shows_a_foreign_name_as_text_wherever_it_stands(outcome_of, foreign):
    text = terminal(outcome_of("foreign"), 200)
    assert escape(foreign) != foreign  # it would have been markup
    table = re.findall(rf"ordered nuts +{re.escape(foreign)} +yes", text)
    assert len(table) == 2
    assert text.count(f"nuts: {foreign} → new") == 2
    assert f"{foreign} 1 → none" in text
    assert f"30 of 30 processes: {foreign}" in terminal(outcome_of("foreign failure"), 200)


def test_two_backends_of_one_environment_differ_in_the_backend(outcome_of):
    found = outcome_of("same")
    old, new = found.comparison.variants
    new = replace(new, packages=old.packages, backend="blackjax")
    text = terminal(replace(found, comparison=replace(found.comparison, variants=(old, new))))
    assert f"differs: backend {old.backend} → blackjax, in one environment" in text


@pytest.mark.parametrize("show", TEXTS.values(), ids=list(TEXTS))
def test_what_else_must_be_known_of_a_verdict_is_told(outcome_of, show):
    held = confirmed(outcome_of("slower"), outcome_of("same"))
    assert show(held).count("regressed at first, and ") > len(held.whole) // 2


def test_floors_have_the_unit_of_their_metric():
    floors = [
        Floor("ordered nuts", "seconds_per_gradient", 0.021, 41),
        Floor("[red]advi", "gap", 0.004, 41),
    ]
    text = _printed([floors_table(floors, 0.02)])
    assert re.search(r"ordered nuts +seconds_per_gradient +2.1 % +2 % +4.1 %", text)
    assert re.search(r"\[red\]advi +gap +0.004 nats +0.02 nats +0.024 nats", text)

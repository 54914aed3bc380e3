"""The gate's answer in the terminal and in files: nothing is left out, nothing breaks them."""

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from gmixbench.report.gate_charts import BIGGER, SMALLER, gate_charts
from gmixbench.report.gate_junit import gate_junit
from gmixbench.report.gate_markdown import gate_markdown
from gmixbench.report.gate_terminal import gate_lines
from gmixbench.ruler.believed import Fault
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.sides import Key

KEY = Key("close", "ordered", "pymc", "nuts")


def judgement(metric="seconds_per_gradient", verdict="equivalent", **changes):
    told = Judgement(KEY, metric, verdict, 3e-5, 4e-5, (1.333, 1.2, 1.4), "7 pairs of runs")
    return replace(told, **changes)


NOISY = {"verdict": "inconclusive", "worrying": True, "replicates": 7}

PAID = judgement("sample_s", "regressed", paid=True, remark="longer trees")

MIXED = Outcome(
    baseline="base",
    new="new",
    judgements=(
        judgement(verdict="regressed"),
        judgement("ess_per_second", "improved", baseline=100.0, new=133.3),
        judgement("compile_s", "inconclusive", worrying=True, remark="worse by itself"),
        judgement("build_s", "inconclusive"),
        judgement("gap", "equivalent", baseline=0.01, new=0.0105, change=(0.0005, -0.001, 0.002)),
    ),
    faults=(
        Fault(replace(KEY, model="unordered"), "NEW", "bias: 9 MCSE off"),
        Fault(KEY, "BASELINE", "crash: \x1b[31mboom\x1b[0m | <b>@someone</b>\nsecond line"),
    ),
    changed=("pymc 6.3.2 → 6.4.0",),
    notes=("2 benchmarks that the gate does not know: not judged",),
    refused="3 timings are no evidence",
)


def terminal(outcome):
    file = io.StringIO()
    console = Console(width=160, file=file)
    for line in gate_lines(outcome):
        console.print(line, soft_wrap=isinstance(line, str))
    return file.getvalue()


def test_the_terminal_begins_with_the_verdict_and_leaves_nothing_out():
    text = terminal(MIXED)
    assert text.startswith("regressed: 1 of 5 metrics got worse; 2 cases are invalid")
    for words in (
        "+33 % [+20, +40]",
        "NEW close unordered pymc nuts: bias: 9 MCSE off",
        "worse by itself; 7 pairs of runs",
        "3 timings are no evidence",
        "2 benchmarks that the gate does not know",
        "1 regressed, 1 improved, 1 equivalent, 2 inconclusive",
        "pymc 6.3.2 → 6.4.0",
    ):
        assert words in text
    assert "build_s" not in text  # no one must answer for it
    assert text.index("\nregressed ") < text.index("\nimproved ") < text.index("\nno answer ")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            replace(MIXED, judgements=(judgement(),), faults=(), refused=""),
            "fine: none of 1 metrics got worse",
        ),
        (replace(MIXED, judgements=(), faults=()), "not measured: nothing could be judged"),
        (
            replace(MIXED, judgements=(judgement(),), faults=MIXED.faults[:1]),
            "not measured: 1 case is invalid, failed or missing",
        ),
        (
            replace(MIXED, judgements=MIXED.judgements[2:], faults=()),
            "inconclusive: 1 of 3 metrics may have become much worse: more rounds would tell",
        ),
        (
            replace(MIXED, judgements=(judgement(**NOISY),), faults=()),
            "inconclusive: 1 of 1 metrics may have become much worse: the noise is too large",
        ),
        (
            replace(MIXED, judgements=(judgement(),), faults=()),
            "fine: none of 1 metrics got worse, as far as it can be judged: 3 timings are no",
        ),
        (
            replace(MIXED, judgements=(PAID,), faults=(), refused=""),
            "fine: none of 1 metrics got worse but 1 by longer trees that pay for themselves",
        ),
    ],
)
def test_each_verdict_has_a_sentence(outcome, words):
    assert terminal(outcome).startswith(words)
    verdict, _, sentence = words.partition(": ")
    page = gate_markdown(outcome)
    assert page.startswith(f"## gmixbench: {verdict}\n")
    assert sentence in page


def test_markdown_has_every_metric_and_no_foreign_markup():
    page = gate_markdown(MIXED)
    for one in MIXED.judgements:
        assert f"| {one.verdict} | close ordered pymc nuts | {one.metric} |" in page
    assert "<b>" not in page
    assert "@someone" not in page
    rows = [line for line in page.splitlines() if line.startswith("| BASELINE")]
    assert len(rows) == 1
    assert rows[0].count("|") - rows[0].count("\\|") == 4
    assert "+0.0005 nats [−0.0010, +0.0020]" in page


def test_junit_fails_what_regressed_and_only_that():
    suite = ET.fromstring(gate_junit(MIXED)).find("testsuite")  # noqa: S314 - our own
    kinds = {
        kind: [test.get("name") for test in suite.iter("testcase") if test.find(kind) is not None]
        for kind in ("failure", "error", "skipped")
    }
    assert kinds == {
        "failure": ["seconds_per_gradient"],
        "error": ["measured (NEW)", "measured (BASELINE)", "compile_s"],
        "skipped": ["build_s"],
    }
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "1", "errors": "3", "skipped": "1"}
    assert len({(t.get("classname"), t.get("name")) for t in suite.iter("testcase")}) == 7
    assert "boom" in suite.findall(".//error")[1].get("message")


def test_junit_fails_nothing_that_is_paid_for_and_says_what_was_refused():
    suite = ET.fromstring(  # noqa: S314 - our own
        gate_junit(replace(MIXED, judgements=(PAID,), faults=()))
    ).find("testsuite")
    assert (suite.get("failures"), suite.find(".//failure")) == ("0", None)
    assert "as far as it can be judged: 3 timings" in suite.find("system-out").text


def test_charts_are_two_files_one_for_each_direction():
    files = {name: json.loads(content) for name, content in gate_charts(MIXED).items()}
    names = {name: [entry["name"].split(": ")[1] for entry in files[name]] for name in files}
    assert names[BIGGER] == ["ess_per_second"]
    assert names[SMALLER] == ["seconds_per_gradient", "compile_s", "build_s", "gap"]
    entry = files[BIGGER][0]
    assert set(entry) == {"name", "unit", "value", "range", "extra"}
    assert (entry["unit"], entry["value"]) == ("1/s", 133.3)

"""The sentences: each is said where it holds."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.report.comparison.words import duration, headline, sentences
from gmixbench.ruler.comparison.confirm import confirmed
from gmixbench.ruler.comparison.judge import judge

RIGHT = "the answer is right on both sides"
SAME = "the trees are the same, draw by draw"
OPEN = "2 not decided: compilation and import"
WITH_TIME = "3 not decided: compilation, time to ESS 1000 and import"


SAID = {
    "slower": (
        "ESS/s regressed: −12 % [], because a gradient evaluation takes 14 % longer "
        f"[]; {RIGHT}; {SAME}.\nAlso regressed: draws/s −12 % [], warm-up +14 % []"
    ),
    "same": f"No change of ESS/s larger than 2 %; {RIGHT}; {SAME}.",
    "fewer draws' worth": (
        "because ESS per gradient evaluation is 20 % lower []; a gradient evaluation takes "
        f"as long, within 2 %; {RIGHT}."
    ),
    "hidden": (
        "which factor carries it is open: ESS per gradient evaluation changed by −5.0 % [], within "
        "its band of 10 % and a gradient evaluation takes as long, within 2 %; the"
    ),
    "half hidden": (
        "because a gradient evaluation takes 5.0 % longer []; ESS per gradient evaluation changed "
        "by −4.0 % [], within its band of 10 %; the"
    ),
    "although": (
        "because ESS per gradient evaluation is 30 % lower [], although a gradient "
        "evaluation takes 10.0 % less time []; the"
    ),
    "both": (
        "because ESS per gradient evaluation is 30 % lower [] and a gradient evaluation "
        "takes 20 % longer []; the"
    ),
    "cancel": (
        "No change of ESS/s larger than 2 %; a gradient evaluation takes 25 % longer []; "
        "ESS per gradient evaluation is 25 % higher []; the"
    ),
    "thirty": (
        "ESS/s improved: ×30.1 [], because a gradient evaluation takes 0.0333 "
        "[] times as long; no change of ESS per gradient evaluation larger than 10 %"
    ),
    "one of thirty": ".\nRegressed: compilation ×30.0 [], time to ESS 1000 ×18.6 []",
    "early": (
        "Not enough evidence yet for seconds per gradient evaluation: about 6 more blocks would do "
        "(52 more seconds)."
    ),
    "none": "A was not measured: no speed is shown.",
    "open": (
        "ESS/s is inconclusive: −6 % []; the time of a gradient evaluation is inconclusive: "
        f"+6 % []; {RIGHT}; {SAME}.\nNot enough evidence yet for seconds per gradient "
        "evaluation: about 47 more blocks would do (7 more minutes)."
    ),
    "two": (
        "ordered nuts: ESS/s regressed: −12 % [], because a gradient evaluation takes 14 % "
        "longer []; no change of ESS per gradient evaluation larger than 10 %; the"
    ),
    "advi": (
        "Steps/s regressed: −12 % []; the gap regressed: +0.030 nats []; valid on both sides."
    ),
    "invalid": (
        "ordered nuts: B is invalid: mean of the larger mean is 9.3 standard errors from the exact "
        "one, 4.5 pass: no speed is shown."
    ),
    "failed": "B could not be judged: 30 of 30 processes: crash: boom: no speed is shown.",
    "steps": "pytensor 2.28.1 → 2.30.0 carries it: seconds per gradient evaluation +13 % of +14 %.",
    "two steps": (
        "pymc 6.3.2 → 6.4.0 and pytensor 2.28.1 → 2.30.0 carry it: seconds per gradient evaluation "
        "+6.0 % and +6.7 % of +13 %."
    ),
    "steps cancel": (
        "By step, seconds per gradient evaluation: pymc 6.3.2 → 6.4.0 +13 %, pytensor 2.28.1 → "
        "2.30.0 −11 %."
    ),
    "step against": "; against it: pytensor 2.28.1 → 2.30.0 −8.8 %.",
    "small steps": (
        "No single step carries seconds per gradient evaluation +4.6 % by itself: pymc 6.3.2 → "
        "6.4.0 +1.5 %, "
    ),
    "middle failed": (
        "C could not be judged: 30 of 30 processes: crash: boom: the steps to it and from it are "
        "left out."
    ),
    "middle invalid": (
        "Which step carries seconds per gradient evaluation +14 % is open: numpy 2.3.1 → 2.4.0 "
        "+0.9 %; 2 of 3 steps could not be judged."
    ),
}


@pytest.mark.parametrize(("case", "said"), SAID.items(), ids=list(SAID))
def test_each_sentence_is_said(outcome_of, case, said):
    told = "\n".join(sentences(outcome_of(case)))
    assert said in re.sub(r"\[[^\[\]]+\]", "[]", told)


def test_the_interval_is_that_of_the_finding(outcome_of):
    outcome = outcome_of("slower")
    clock = outcome.whole[0].change
    low, high = (f"{100 * (bound - 1):.0f}" for bound in (clock.low, clock.high))
    assert float(low) > 0
    assert f"takes 14 % longer [{low}, {high}];" in sentences(outcome)[0]


def test_no_answer_in_sight_is_said(outcome_of):
    outcome = outcome_of("open")
    findings = tuple(replace(each, more=None) for each in outcome.findings)
    *_, last = sentences(replace(outcome, findings=findings))
    assert last.startswith(
        "For seconds per gradient evaluation no answer is in sight within 1,000 blocks: "
    )
    for help_ in ("a wider band", "a quieter machine", "`gmixbench noise`"):
        assert help_ in last
    assert "would do" not in last


def test_what_is_open_is_told_with_its_step_and_its_task(made_values, comparison_of):
    packages = (
        {"pymc": "1", "numpy": "1"},
        {"pymc": "2", "numpy": "1"},
        {"pymc": "2", "numpy": "2"},
    )
    values = made_values({}, {}, blocks=7)
    one, two = {"ordered nuts": values}, {"ordered nuts": values, "unordered nuts": values}
    by_task = (
        "(ordered nuts; unordered nuts; ordered nuts: pymc 1 → 2; unordered nuts: pymc 1 → 2; "
        "ordered nuts: numpy 1 → 2; unordered nuts: numpy 1 → 2)"
    )
    for tables, where in ((one, "(as a whole; pymc 1 → 2; numpy 1 → 2)"), (two, by_task)):
        outcome = judge(comparison_of(tables, same=True, packages=packages))
        *_, last = sentences(outcome)
        assert f"Not enough evidence yet for seconds per gradient evaluation {where}: about" in last


@pytest.mark.parametrize("case", ["invalid", "failed", "none", "foreign failure"])
def test_of_what_is_invalid_no_change_is_told(outcome_of, case):
    told = " ".join(sentences(outcome_of(case)))
    assert "%" not in told
    assert "no speed is shown" in told


def test_of_two_tasks_the_valid_one_is_told(outcome_of):
    first, second, *_ = sentences(outcome_of("half invalid"))
    assert first.startswith("unordered nuts: B is invalid")
    assert second.startswith("ordered advi-matched: steps/s regressed: −12 %")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("slower", f"5 of 9 metrics got worse, 2 within their bands; {OPEN}; right on both sides"),
        (
            "same",
            f"6 of 9 metrics within their bands; {WITH_TIME}; right on both sides",
        ),
        ("thirty", f"5 of 9 metrics got better, 2 within their bands; {OPEN}; right on both sides"),
        ("early", "not enough evidence yet; nothing is known to be wrong yet"),
        ("steps", f"5 of 9 metrics got worse, 2 within their bands; {OPEN}; right on all sides"),
        (
            "middle invalid",
            f"5 of 9 metrics got worse, 2 within their bands; {OPEN}; right on both sides",
        ),
        (
            "middle failed",
            f"5 of 9 metrics got worse, 2 within their bands; {OPEN}; right on both sides",
        ),
        ("invalid", "B is invalid"),
        ("failed", "B could not be judged"),
        ("none", "A and B left nothing to judge"),
    ],
)
def test_headline_is_one_sentence(outcome_of, case, said):
    assert headline(outcome_of(case)) == said


def test_sampling_that_was_too_short_is_told(made_values, comparison_of):
    values = made_values({"seconds_per_gradient": 1.14})
    for seconds, told in ((1.4, True), (2.1, False)):
        sampled = {"sample_s": np.full(values["compile_s"].shape, seconds)}
        short = comparison_of({"ordered nuts": values | sampled}, names=("here:pymc", "b"))
        text = " ".join(sentences(judge(short)))
        said = " here:pymc sampled for 1.4 s a process at the median, not for 2 s"
        assert (said in text) == told


def test_what_a_second_measurement_did_not_find_is_told_so(outcome_of):
    first, second = outcome_of("slower"), outcome_of("same")
    told = " ".join(sentences(confirmed(first, second)))
    assert re.search(r"ESS/s is inconclusive: [^;]*\(regressed at first, and equivalent with", told)
    assert "of a gradient evaluation is inconclusive: +14 %" in told
    assert "Not enough evidence" not in told  # more blocks are not what it lacks
    assert headline(confirmed(first, second)) == (
        "a change was found, and not found again with other seeds; right on both sides"
    )
    again = " ".join(sentences(confirmed(first, first)))
    assert (
        "] (confirmed with other seeds), because a gradient evaluation takes 14 % longer" in again
    )


def test_a_draw_by_draw_equal_fit_has_no_trees(made_values, comparison_of):
    fits = comparison_of({"ordered advi-matched": made_values({}, method="advi")}, same=True)
    (said,) = sentences(judge(fits))
    assert said.endswith("valid on both sides; the fits are the same, draw by draw.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(43, "43 more seconds"), (240, "4 more minutes"), (9000, "2.5 more hours")],
)
def test_duration_is_told_as_a_person_would(seconds, text):
    assert duration(seconds) == text

"""`compare.json`: there and back, and no other comparison's."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gmixbench.disk import DamagedRecordError
from gmixbench.lab.comparison import folder
from gmixbench.lab.store import FolderError
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.nouns import Comparison, Reading
from gmixbench.ruler.score import Check
from gmixbench.spec import Case

Question = Callable[..., Comparison]


def test_a_folder_without_one_takes_what_is_asked(tmp_path: Path, question: Question) -> None:
    assert folder.resumed(tmp_path, question("a", "b")) == question("a", "b")


def test_bands_and_alpha_may_differ(tmp_path: Path, question: Question) -> None:
    folder.write(tmp_path, question("a", "b"))
    asked = question("a", "b", band=0.05, ess_band=0.2, alpha=0.05)
    assert folder.resumed(tmp_path, asked) == asked


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"machine": {"cpu": "two"}}, "another machine"),
        ({"machine": {"cpu": "one", "worker": "two"}}, "another gmixbench"),
        ({"seed": 2}, "another seed"),
    ],
)
def test_another_comparison_is_refused(
    tmp_path: Path, question: Question, other: dict[str, object], what: str
) -> None:
    folder.write(tmp_path, question("a", "b"))
    with pytest.raises(FolderError, match=f"of {what}: give another --out, or --fresh"):
        folder.resumed(tmp_path, question("a", "b", **other))
    with pytest.raises(FolderError, match="of other variants"):
        folder.resumed(tmp_path, question("a", "c"))


def test_what_is_said_stands_beside_it_and_is_not_read_back(
    tmp_path: Path, made_values: Callable[..., Any], comparison_of: Callable[..., Comparison]
) -> None:
    slower = {"ordered nuts": made_values({"seconds_per_gradient": 1.1})}
    comparison = comparison_of(slower, z={0: 0.5})
    outcome = judge(comparison)
    folder.write(tmp_path, comparison, outcome)
    assert folder.read(tmp_path) == comparison
    said = json.loads((tmp_path / folder.NAME).read_text())["outcome"]
    assert (said["verdict"], said["blocks"], said["looks"]) == ("regressed", 30, outcome.looks)
    assert [each["reasons"] for each in said["trusts"]] == [[], []]
    first, finding = said["findings"][0], outcome.findings[0]
    assert (first["metric"], first["verdict"]) == ("seconds_per_gradient", "regressed")
    assert (first["ratio"], first["confirmed"]) == (True, None)
    change = finding.change
    assert first["change"] == {
        "estimate": change.estimate,
        "low": change.low,
        "high": change.high,
    }
    few = comparison_of({"ordered nuts": made_values({}, blocks=2)})
    folder.write(tmp_path, few, judge(few))
    said = json.loads((tmp_path / folder.NAME).read_text())["outcome"]
    assert said["findings"][0]["change"]["high"] is None
    folder.write(tmp_path, few)  # one that goes on has none that was true before
    assert "outcome" not in json.loads((tmp_path / folder.NAME).read_text())


def test_a_damaged_one_is_named(tmp_path: Path, question: Question) -> None:
    folder.write(tmp_path, question("a", "b"))
    path = tmp_path / folder.NAME
    path.write_text(path.read_text()[:-20])
    with pytest.raises(DamagedRecordError, match=str(path)):
        folder.read(tmp_path)


def test_a_label_is_that_of_the_question(question: Question) -> None:
    label = folder.label(question("pymc==6.3.2", "./my checkout"))
    assert label.startswith("pymc-6.3.2-my-checkout-")
    assert label == folder.label(question("pymc==6.3.2", "./my checkout", band=0.1))
    assert label != folder.label(question("pymc==6.3.2", "./my checkout", seed=7))


def test_cleared_it_holds_nothing(tmp_path: Path, question: Question) -> None:
    folder.write(tmp_path, question("a", "b"))
    folder.clear(tmp_path)
    assert folder.read(tmp_path) is None
    folder.clear(tmp_path)


def test_tasks_keep_the_counts_that_were_measured(tmp_path: Path, question: Question) -> None:
    asked = question("a", "b")
    long = replace(asked.tasks[0], settings=replace(asked.tasks[0].settings, draws=77_000))
    folder.write(tmp_path, replace(asked, tasks=(long,)))
    assert folder.resumed(tmp_path, asked).tasks == (long,)


def test_numbers_that_are_not_finite_are_null(tmp_path: Path, question: Question) -> None:
    asked = question("a", "b")
    case = Case("close", asked.tasks[0].model, "a", "nuts", asked.tasks[0].settings)
    still = Check("mean of it", 1.0, 1.0, math.nan, math.inf)
    reading = Reading(
        0, 0, 0, 0, case, cold=True, began="", seconds=1.0, metrics={}, checks=(still,)
    )
    folder.write(tmp_path, replace(asked, readings=(reading,)))

    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads((tmp_path / folder.NAME).read_text(), parse_constant=refuse)
    found = folder.read(tmp_path)
    assert found is not None
    ((check,),) = (each.checks for each in found.readings)
    assert (check.name, check.estimate) == ("mean of it", 1.0)
    assert math.isnan(check.mcse)
    assert math.isnan(check.z)

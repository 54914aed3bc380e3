"""Floors are kept for a machine, a backend and a task, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.disk import DamagedRecordError
from gmixbench.lab.comparison import floors
from gmixbench.lab.comparison.floors import Kept
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.comparison.nouns import Comparison, Task
from gmixbench.spec import MODELS

FLOOR = Floor("ordered nuts", "seconds_per_gradient", 0.031, 41)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path))


def test_kept_floors_are_known_where_they_belong(question: Callable[..., Comparison]) -> None:
    floors.keep(question("numpyro", "numpyro"), [FLOOR], 600.0)
    kept = Kept("close", 600.0, FLOOR)
    asked = question("numpyro", "numpyro")
    assert floors.known(question("numpyro", "numpyro", band=0.5)) == (kept,)
    assert floors.known(question("pymc", "pymc")) == ()
    assert floors.known(question("numpyro", "numpyro", machine={"cpu": "two"})) == ()
    assert floors.known(replace(asked, dataset="separated")) == ()
    assert floors.known(replace(asked, tasks=(other(asked),))) == ()


def test_more_time_tells_more() -> None:
    kept = Kept("close", 600.0, FLOOR)
    assert kept.within(600.0) == pytest.approx(0.031)
    assert kept.within(2400.0) == pytest.approx(0.0155)


def other(asked: Comparison) -> Task:
    return replace(asked.tasks[0], model=MODELS["unordered"])


def test_what_is_kept_of_other_tasks_and_data_stays(question: Callable[..., Comparison]) -> None:
    asked = question("numpyro", "numpyro")
    unordered = replace(asked, tasks=(other(asked),))
    separated = replace(asked, dataset="separated")
    wider = replace(FLOOR, change=0.1)
    floors.keep(asked, [FLOOR], 600.0)
    floors.keep(unordered, [replace(FLOOR, task="unordered nuts")], 600.0)
    floors.keep(separated, [FLOOR], 600.0)
    floors.keep(asked, [wider], 60.0)
    assert floors.known(asked) == (Kept("close", 60.0, wider),)
    assert floors.known(unordered)[0].floor.task == "unordered nuts"
    assert floors.known(separated) == (Kept("separated", 600.0, FLOOR),)


@pytest.mark.parametrize("text", ["{}", "[]", "cut", '{"floors": [{"task": 1}]}', '{"floors": 3}'])
def test_a_damaged_file_is_named_and_written_anew(
    question: Callable[..., Comparison], text: str
) -> None:
    asked = question("numpyro", "numpyro")
    path = floors.keep(asked, [FLOOR], 600.0)
    path.write_text(text)
    with pytest.raises(DamagedRecordError, match=str(path)):
        floors.known(asked)
    floors.keep(asked, [FLOOR], 600.0)
    assert floors.known(asked) == (Kept("close", 600.0, FLOOR),)

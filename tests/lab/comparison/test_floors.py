"""Floors are kept for a machine, a backend and a task, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab.comparison import floors
from gmixbench.record import DamagedRecordError
from gmixbench.ruler.comparison.floor import Floor
from gmixbench.ruler.comparison.nouns import Comparison
from gmixbench.spec import MODELS

FLOOR = Floor("ordered nuts", "seconds_per_gradient", 0.031, 41)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path))


def test_kept_floors_are_known_where_they_belong(question: Callable[..., Comparison]) -> None:
    floors.keep(question("numpyro", "numpyro"), [FLOOR])
    assert floors.known(question("numpyro", "numpyro", band=0.5)) == (FLOOR,)
    assert floors.known(question("pymc", "pymc")) == ()
    assert floors.known(question("numpyro", "numpyro", machine={"cpu": "two"})) == ()
    asked = question("numpyro", "numpyro")
    other = replace(asked.tasks[0], model=MODELS["unordered"])
    assert floors.known(replace(asked, tasks=(other,))) == ()


def test_a_damaged_file_is_named(question: Callable[..., Comparison]) -> None:
    path = floors.keep(question("numpyro", "numpyro"), [FLOOR])
    path.write_text("{}")
    with pytest.raises(DamagedRecordError, match=str(path)):
        floors.known(question("numpyro", "numpyro"))

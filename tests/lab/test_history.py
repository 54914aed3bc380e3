"""The folder of a history: what is written there is read back, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.disk import SCHEMA, DamagedRecordError
from gmixbench.lab import history, travel
from gmixbench.lab.store import FolderError
from gmixbench.ruler.history import Measurement, Release, Session
from gmixbench.spec import MODELS, AdviSettings, Case

RELEASE = Release(
    "numpyro-v0.22.0", "numpyro", "numpyro", "0.22.0", "2026-09-18", "3.13", {"jax": "0.12.0.1"}
)
SESSION = Session(
    name="2026-11-22-1",
    began="2026-11-22T20:00:00+00:00",
    machine={"cpu": "one"},
    anchors=("a", "b"),
    stacks=("a", "b", "c"),
    rounds=(0, 1),
    dataset="close",
    models=("ordered",),
    methods=("nuts", "advi-matched"),
)
CASE = Case("close", MODELS["ordered"], "numpyro", "nuts", stack="numpyro-v0.22.0", seed=0)
ROW = Measurement(
    case=CASE,
    session=SESSION.name,
    round=0,
    began="2026-11-22T20:01:00+00:00",
    lock="a" * 64,
    valid=True,
    reasons=("why",),
    labels="stuck",
    shims=("named",),
    metrics={"rhat": 1.001, "gap": None},
    environment={"numpy": "2.0"},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    advi = replace(CASE, method="advi-matched", settings=AdviSettings())
    failed = replace(ROW, case=advi, valid=False, failure="crash: it ended", metrics=None)
    history.write_header(tmp_path, history.Header("quick", (SESSION,)))
    history.append(tmp_path, RELEASE, [ROW])
    history.append(tmp_path, RELEASE, [failed])
    read = history.read(tmp_path)
    assert (read.profile, read.sessions, read.releases) == ("quick", (SESSION,), (RELEASE,))
    assert read.measurements == (ROW, failed)


def test_a_case_of_one_round_and_session_stands_once(tmp_path: Path) -> None:
    again = replace(ROW, metrics={"rhat": 2.0})
    elsewhere = replace(ROW, session="2026-11-23-1")
    history.append(tmp_path, RELEASE, [ROW, elsewhere])
    history.append(tmp_path, RELEASE, [again])
    assert history.measurements(tmp_path, RELEASE.stack) == (again, elsewhere)


def test_what_another_lock_gave_goes(tmp_path: Path) -> None:
    relocked = replace(ROW, lock="b" * 64, round=1)
    history.append(tmp_path, RELEASE, [ROW])
    history.append(tmp_path, RELEASE, [relocked])
    assert history.measurements(tmp_path, RELEASE.stack) == (relocked,)


def test_releases_come_in_order_of_date(tmp_path: Path) -> None:
    history.write_header(tmp_path, history.Header("quick", (SESSION,)))
    for name, released in {"v9": "2024-01-01", "v10": "2025-01-01", "v2": "2023-01-01"}.items():
        case = replace(CASE, stack=name)
        release = replace(RELEASE, stack=name, released=released)
        history.append(tmp_path, release, [replace(ROW, case=case)])
    assert [release.stack for release in history.read(tmp_path).releases] == ["v2", "v9", "v10"]


def test_a_folder_without_a_history_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="holds no history"):
        history.read(tmp_path)


@pytest.mark.parametrize("name", ["history.json", "scores/numpyro-v0.22.0.json"])
@pytest.mark.parametrize("content", ["{", "{}", '{"schema": 1}', "[]", "of another schema"])
def test_a_damaged_file_is_named(name: str, content: str, tmp_path: Path) -> None:
    history.write_header(tmp_path, history.Header("quick", (SESSION,)))
    history.append(tmp_path, RELEASE, [ROW])
    path = tmp_path / name
    another = path.read_text().replace(f'"schema": {SCHEMA}', '"schema": 99')
    path.write_text(another if content == "of another schema" else content)
    with pytest.raises(DamagedRecordError, match=rf"{name} is damaged"):
        history.read(tmp_path)


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    history.append(tmp_path, RELEASE, [ROW])
    with pytest.raises(ValueError, match="not JSON compliant"):
        history.append(tmp_path, RELEASE, [replace(ROW, round=1, metrics={"rhat": float("nan")})])
    assert history.measurements(tmp_path, RELEASE.stack) == (ROW,)


def test_a_machine_is_what_bears_on_figures_and_nothing_else() -> None:
    machine = history.machine()
    assert {"cpu", "python", "numpy"} < machine.keys() <= {*history.SAME, "worker"}
    assert machine["worker"] == travel.digest()


def test_a_success_takes_the_place_of_a_failure_of_any_session(tmp_path: Path) -> None:
    failed = replace(ROW, valid=False, failure="stack: no network", metrics=None)
    history.append(
        tmp_path, RELEASE, [failed, replace(failed, round=1, case=replace(CASE, seed=2))]
    )
    later = replace(ROW, session="2026-11-23-1")
    history.append(tmp_path, RELEASE, [later])
    first, last = history.measurements(tmp_path, RELEASE.stack)
    assert (first.round, last) == (1, later)


@pytest.mark.parametrize("session", [SESSION.name, "2026-11-23-1"])
def test_a_stack_that_can_t_be_built_any_more_keeps_what_was_measured(
    session: str, tmp_path: Path
) -> None:
    lost = replace(ROW, session=session, valid=False, failure="stack: no network", metrics=None)
    missing = replace(lost, round=1, case=replace(CASE, seed=2))
    history.append(tmp_path, RELEASE, [ROW])
    history.append(tmp_path, RELEASE, [lost, missing])
    assert history.measurements(tmp_path, RELEASE.stack) == (ROW, missing)


def test_scores_of_a_session_that_is_not_named_are_told(tmp_path: Path) -> None:
    history.write_header(tmp_path, history.Header("quick", ()))
    history.append(tmp_path, RELEASE, [ROW])
    with pytest.raises(DamagedRecordError, match=r"history\.json has no session 2026-11-22-1"):
        history.read(tmp_path)


@pytest.mark.parametrize("content", ["{", "whole"])
def test_what_a_killed_process_was_writing_is_not_read_and_goes(
    content: str, tmp_path: Path
) -> None:
    history.write_header(tmp_path, history.Header("quick", (SESSION,)))
    history.append(tmp_path, RELEASE, [ROW])
    scores = tmp_path / "scores" / "numpyro-v0.22.0.json"
    left = scores.with_name(".writing-abc.json")
    left.write_text(scores.read_text() if content == "whole" else content)
    header = tmp_path / ".writing-abc.json"
    header.write_text(content)
    assert history.read(tmp_path).measurements == (ROW,)
    history.clear(tmp_path)
    assert not left.exists()
    assert not header.exists()
    assert scores.exists()

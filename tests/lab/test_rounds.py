"""Rounds of a history: what is left to do, in which order, and doing it."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab import datasets, history, rounds
from gmixbench.lab.stacks import Stack
from gmixbench.lab.store import FolderError
from gmixbench.ruler.changes import find
from gmixbench.spec import PROFILES, AdviSettings, NutsSettings, Profile
from gmixbench.truth.exact import Exact, solve

Plant = Callable[[str, str], str]


def stack(name: str, package: str = "numpyro", released: str = "2026-01-01") -> Stack:
    return Stack(
        name=name,
        library="pymc" if package.startswith("pymc") else "numpyro",
        package=package,
        version=name,
        released=released,
        python="3.13",
        platform="x86_64-linux",
        cutoff=released,
        later={},
        made="by hand",
        by="no one",
        sources=(),
        packages={package: name},
        hashes={package: ("0" * 64,)},
    )


STACKS = tuple(stack(f"v{k}", released=f"2026-01-0{k}") for k in range(1, 6))
KNOWN = {each.name: each for each in STACKS}


def wanted(stacks: tuple[Stack, ...] = STACKS, rounds_: int = 3) -> rounds.Wanted:
    return rounds.Wanted(stacks, "quick", ("ordered",), ("nuts",), "close", rounds_)


def plan(
    folder: Path, what: rounds.Wanted, known: dict[str, Stack] = KNOWN, *, retry: bool = False
):
    header = history.read_header(folder) or history.Header("quick", ())
    planned = rounds.plan(folder, header, what, known, retry=retry)
    if planned and planned[0] not in header.sessions:
        sessions = (*header.sessions, planned[0])
        history.write_header(folder, history.Header("quick", sessions))
    return planned


def do(folder: Path, session, visits) -> None:
    for visit in visits:
        rows = rounds.not_built(session, [visit], "planted")
        history.append(folder, rounds.release(visit.stack), rows)


def test_every_stack_is_visited_once_a_round_in_an_order_of_its_own(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted())
    orders = [[visit.stack.name for visit in visits if visit.round == k] for k in range(3)]
    assert [visit.round for visit in visits] == [0] * 5 + [1] * 5 + [2] * 5
    assert all(sorted(order) == sorted(KNOWN) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert [case.seed for visit in visits for case in visit.cases] == [1] * 5 + [2] * 5 + [3] * 5
    again = rounds.plan(tmp_path, history.Header("quick", (session,)), wanted(), KNOWN, retry=False)
    assert again == (session, visits)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted())
    do(tmp_path, session, visits[:7])
    assert plan(tmp_path, wanted()) == (session, visits[7:])
    do(tmp_path, session, visits[7:])
    assert plan(tmp_path, wanted()) is None


def test_a_new_release_is_measured_beside_the_anchors_alone(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted(STACKS[:4]))
    assert session.anchors == ("v1", "v4")
    do(tmp_path, session, visits)
    later, more = plan(tmp_path, wanted())
    assert later.name != session.name
    assert later.anchors == session.anchors
    assert {visit.stack.name for visit in more} == {"v1", "v4", "v5"}
    assert len(more) == 9
    do(tmp_path, later, more)
    assert plan(tmp_path, wanted()) is None


def test_more_rounds_measure_only_those(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(rounds_=2)))
    _, visits = plan(tmp_path, wanted(rounds_=3))
    assert {visit.round for visit in visits} == {2}


def test_another_machine_is_another_session(tmp_path: Path, monkeypatch) -> None:
    session, visits = plan(tmp_path, wanted())
    do(tmp_path, session, visits[:7])
    here = history.machine()
    monkeypatch.setattr(history, "machine", lambda: here | {"cpu": "another"})
    other, more = plan(tmp_path, wanted())
    assert other.name != session.name
    anchors = [visit for visit in more if visit.stack.name in session.anchors]
    assert len(anchors) == 2 * len(other.rounds)  # measured here again, whatever the other has


def test_a_stack_locked_again_is_measured_again(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted()))
    changed = replace(
        STACKS[1], packages={"numpyro": "v2", "jax": "1"}, hashes={"numpyro": ()} | {"jax": ()}
    )
    stacks = (STACKS[0], changed, *STACKS[2:])
    _, visits = plan(tmp_path, wanted(stacks), {each.name: each for each in stacks})
    assert {visit.stack.name for visit in visits} == {"v1", "v2", "v5"}


def test_an_anchor_locked_again_joins_nothing(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4])))
    changed = replace(STACKS[0], python="3.12")
    with pytest.raises(FolderError, match="anchor v1 was locked again"):
        plan(tmp_path, wanted(STACKS[4:]), KNOWN | {"v1": changed})
    with pytest.raises(FolderError, match="anchor v1 has no lock file"):
        plan(tmp_path, wanted(STACKS[4:]), {"v4": STACKS[3], "v5": STACKS[4]})


def test_what_failed_is_measured_again_when_asked(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted())
    do(tmp_path, session, visits)
    again, more = plan(tmp_path, wanted(), retry=True)
    assert again.name != session.name
    assert {visit.stack.name for visit in more} == set(KNOWN)


def test_each_library_has_its_anchors() -> None:
    libraries = {"pymc-v5.16.2": "pymc", "pymc-v6.3.2": "pymc", "x": "numpyro", "y": "numpyro"}
    assert rounds._choose_anchors(libraries | {"z": "numpyro"}) == [
        "pymc-v5.16.2",
        "pymc-v6.3.2",
        "x",
        "z",
    ]


@pytest.fixture(scope="module")
def exact() -> Exact:
    data = datasets.load("close")
    return solve(data.x, rounds.MODELS["ordered"])


@pytest.fixture
def few_draws(monkeypatch) -> None:
    small = Profile("quick", NutsSettings(chains=2, warmup=1, draws=2000), AdviSettings(steps=10))
    monkeypatch.setitem(PROFILES, "quick", small)


@pytest.mark.usefixtures("few_draws")
def test_measuring_keeps_scores_and_no_draws(tmp_path: Path, plant: Plant, exact) -> None:
    folder = tmp_path / "history"
    fast = stack("v1", plant("fast", ""))
    broken = stack("v2", plant("broken", "def build(job): raise RuntimeError('planted')"))
    what = wanted((fast, broken), 2)
    session, visits = plan(folder, what, {"v1": fast, "v2": broken})
    pythons = {"v1": Path(sys.executable), "v2": Path(sys.executable)}
    done = list(rounds.measure(folder, session, visits, pythons, exact, timeout=60))
    assert len(done) == 4
    assert sorted(path.name for path in folder.iterdir()) == ["history.json", "scores"]
    rows = history.measurements(folder, "v1")
    assert [row.round for row in rows] == [0, 1]
    assert all(row.metrics and not row.valid and row.failure is None for row in rows)
    assert any("density" in reason for reason in rows[0].reasons)
    (failed, _) = history.measurements(folder, "v2")
    assert failed.failure == "exception: RuntimeError: planted"


@pytest.mark.usefixtures("few_draws")
def test_versions_that_are_not_the_locked_ones_are_told(
    tmp_path: Path, plant: Plant, exact
) -> None:
    folder = tmp_path / "history"
    import numpy as np

    name = plant("fast", "")
    locked = replace(
        stack("v1", name), packages={name: "v1", "numpy": "0.0.1"}, hashes={name: (), "numpy": ()}
    )
    session, visits = plan(folder, wanted((locked,), 1), {"v1": locked})
    list(rounds.measure(folder, session, visits, {"v1": Path(sys.executable)}, exact, timeout=60))
    (row,) = history.measurements(folder, "v1")
    assert row.reasons[0] == f"numpy {np.__version__} was measured, 0.0.1 is locked"
    assert not row.valid


def test_findings_follow_from_the_folder(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted()))
    findings = find(history.read(tmp_path))
    assert {notice.stack for notice in findings.notices if notice.kind == "failed"} == set(KNOWN)

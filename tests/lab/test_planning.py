"""Plan of a history: what is missing, and in which session and order it is measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab import history, planning, rounds
from gmixbench.lab.stacks import Stack
from gmixbench.lab.store import FolderError
from gmixbench.ruler.find import find


def stack(name: str, package: str = "numpyro", released: str = "2026-01-01") -> Stack:
    return Stack(
        name=name,
        ppl="pymc" if package.startswith("pymc") else "numpyro",
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


def wanted(stacks: tuple[Stack, ...] = STACKS, rounds_: int = 3) -> planning.Wanted:
    return planning.Wanted(stacks, "quick", ("ordered",), ("nuts",), "close", rounds_)


def plan(
    folder: Path, what: planning.Wanted, known: dict[str, Stack] = KNOWN, *, retry: bool = False
):
    header = history.read_header(folder) or history.Header("quick", ())
    planned = planning.plan(folder, header, what, known, retry=retry)
    if planned and planned[0] not in header.sessions:
        sessions = (*header.sessions, planned[0])
        history.write_header(folder, history.Header("quick", sessions))
    return planned


def do(folder: Path, session, visits) -> None:
    for visit in visits:
        rows = rounds.not_built(session, [visit], "planted")
        rows = [replace(row, failure="crash: planted") for row in rows]
        history.append(folder, rounds.release(visit.stack), rows)


def test_every_stack_is_visited_once_a_round_in_an_order_of_its_own(tmp_path: Path) -> None:
    session, _ = plan(tmp_path, wanted())
    # The order follows from the name, in which the day and the machine are: of three rounds of
    # five stacks two agree by chance on one day in forty.
    session = replace(session, name="2026-11-22-1-abcd")
    header = history.Header("quick", (session,))
    history.write_header(tmp_path, header)
    session, visits = planning.plan(tmp_path, header, wanted(), KNOWN, retry=False)
    orders = [[visit.stack.name for visit in visits if visit.round == k] for k in range(3)]
    assert [visit.round for visit in visits] == [0] * 5 + [1] * 5 + [2] * 5
    assert all(sorted(order) == sorted(KNOWN) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert [case.seed for visit in visits for case in visit.cases] == [1] * 5 + [2] * 5 + [3] * 5
    again = planning.plan(
        tmp_path, history.Header("quick", (session,)), wanted(), KNOWN, retry=False
    )
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


def test_what_any_session_measured_serves_but_for_anchors(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4], rounds_=2)))
    _, visits = plan(tmp_path, wanted(rounds_=3))
    found = {name: [v.round for v in visits if v.stack.name == name] for name in KNOWN}
    assert found == {"v1": [0, 1, 2], "v2": [2], "v3": [2], "v4": [0, 1, 2], "v5": [0, 1, 2]}


@pytest.mark.parametrize("more", [wanted(), wanted(STACKS[:4], rounds_=4)], ids=["stack", "round"])
def test_a_session_does_not_go_on_with_what_it_was_not_meant_for(
    more: planning.Wanted, tmp_path: Path
) -> None:
    session, visits = plan(tmp_path, wanted(STACKS[:4]))
    do(tmp_path, session, visits[:7])
    later, visits = plan(tmp_path, more)
    assert later.name != session.name
    asked = {(each.name, k) for each in more.stacks for k in range(more.rounds)}
    do(tmp_path, later, visits)
    done = {
        (each.name, row.round)
        for each in more.stacks
        for row in history.measurements(tmp_path, each.name)
    }
    assert done == asked


def test_a_session_does_not_go_on_without_its_anchors(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted())
    do(tmp_path, session, visits[:7])
    known = {name: each for name, each in KNOWN.items() if name != "v5"}
    later, _ = plan(tmp_path, wanted(STACKS[:4]), known)
    assert later.name != session.name
    assert "v5" not in later.anchors


def test_a_session_goes_on_until_its_anchors_are_measured(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4])))
    later, visits = plan(tmp_path, wanted())
    do(tmp_path, later, [visit for visit in visits if visit.stack.name == "v5"])
    assert plan(tmp_path, wanted(STACKS[4:]), retry=True)[0] == later


def test_a_session_that_was_stopped_before_its_anchors_goes_on(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4])))
    later, visits = plan(tmp_path, wanted())
    do(tmp_path, later, [visit for visit in visits if visit.stack.name == "v5"])
    session, left = plan(tmp_path, wanted())
    assert session == later
    assert {visit.stack.name for visit in left} == {"v1", "v4"}
    do(tmp_path, session, left)
    assert plan(tmp_path, wanted()) is None


def test_sessions_of_two_machines_have_two_names(tmp_path: Path, monkeypatch) -> None:
    one, _ = plan(tmp_path / "one", wanted())
    here = history.machine()
    monkeypatch.setattr(history, "machine", lambda: here | {"cpu": "another"})
    other, _ = plan(tmp_path / "other", wanted())
    assert one.name[:-4] == other.name[:-4]  # both the first of their day
    assert one.name != other.name


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


def test_one_anchor_joins_where_the_other_is_lost(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4])))
    changed = replace(STACKS[0], python="3.12")
    session, _ = plan(tmp_path, wanted(STACKS[4:]), KNOWN | {"v1": changed})
    assert session.anchors == ("v4", "v5")


def test_without_anchors_nothing_joins(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:4])))
    with pytest.raises(FolderError, match=r"no lock file of numpyro's anchors \(v1, v4\)"):
        plan(tmp_path, wanted(STACKS[4:]), {"v5": STACKS[4]})


def test_a_retried_release_is_sound_once_it_succeeds(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted()))
    session, visits = plan(tmp_path, wanted(), retry=True)
    assert {visit.stack.name for visit in visits} == set(KNOWN)
    for visit in visits:
        rows = [
            replace(row, failure=None, valid=True, metrics={})
            for row in rounds.not_built(session, [visit], "planted")
        ]
        history.append(tmp_path, rounds.release(visit.stack), rows)
    assert plan(tmp_path, wanted(), retry=True) is None
    assert find(history.read(tmp_path)).notices == ()


def test_other_methods_take_a_session_of_their_own(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted()))
    advi = replace(wanted((STACKS[1],)), methods=("advi-matched",))
    session, visits = plan(tmp_path, advi)
    assert session.methods == ("advi-matched",)
    assert {visit.stack.name for visit in visits} == {"v1", "v2", "v5"}


def test_a_change_of_what_measures_takes_a_session_of_its_own(tmp_path: Path, monkeypatch) -> None:
    session, visits = plan(tmp_path, wanted())
    do(tmp_path, session, visits[:7])
    monkeypatch.setattr(planning.history.travel, "digest", lambda: "another")
    assert plan(tmp_path, wanted())[0].name != session.name


def test_what_could_not_be_built_is_missing(tmp_path: Path) -> None:
    session, visits = plan(tmp_path, wanted(STACKS[:1], rounds_=1))
    rows = rounds.not_built(session, visits, "no network")
    history.append(tmp_path, rounds.release(STACKS[0]), rows)
    assert planning.missing(tmp_path, wanted(STACKS[:1], rounds_=1), retry=False)


def test_each_library_has_its_anchors_whenever_it_comes(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:2])))
    others = [stack(f"p{k}", "pymc", f"2026-02-0{k}") for k in range(1, 5)]
    known = KNOWN | {each.name: each for each in others}
    second, visits = plan(tmp_path, wanted(tuple(others[:3])), known)
    assert second.anchors == ("p1", "p3")
    do(tmp_path, second, visits)
    third, _ = plan(tmp_path, wanted((STACKS[2], others[3])), known)
    assert third.anchors == ("v1", "v2", "p1", "p3")
    at_once, _ = plan(tmp_path / "at once", wanted((*STACKS[:3], *others)), known)
    assert at_once.anchors == ("v1", "v3", "p1", "p4")


def test_named_anchors_come_first(tmp_path: Path) -> None:
    named = [stack(name) for name in ("numpyro-v0.1", *planning.ANCHORS[2:], "numpyro-v0.99")]
    session, _ = plan(tmp_path, wanted(tuple(named)), {each.name: each for each in named})
    assert session.anchors == planning.ANCHORS[2:]


def test_a_first_anchor_alone_gets_company(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted(STACKS[:1])))
    session, _ = plan(tmp_path, wanted())
    assert session.anchors == ("v1", "v2")


def test_findings_follow_from_the_folder(tmp_path: Path) -> None:
    do(tmp_path, *plan(tmp_path, wanted()))
    findings = find(history.read(tmp_path))
    assert {notice.stack for notice in findings.notices if notice.kind == "failed"} == set(KNOWN)

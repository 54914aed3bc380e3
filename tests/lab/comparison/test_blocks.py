"""Blocks: random order, one seed, kept as they come, and as many as it takes."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gmixbench.lab.comparison import blocks, folder
from gmixbench.lab.comparison.blocks import measure, order, spent
from gmixbench.lab.execute import HERE, Worker
from gmixbench.record import Failure, Job
from gmixbench.ruler.comparison import caches
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST
from gmixbench.ruler.comparison.nouns import LEAST_SECONDS, PILOT, Comparison
from gmixbench.ruler.comparison.reading import Place
from gmixbench.spec import MODELS
from gmixbench.truth.exact import Exact

pytestmark = pytest.mark.usefixtures("measured_jobs")

Question = Callable[..., Comparison]


def start(caches: Path) -> Worker:
    return replace(HERE, caches=caches)


def run(where: Path, question: Comparison, exact: Exact, **options: Any) -> Comparison:
    given = {"budget": 1e6, "timeout": 60.0} | options
    now = folder.resumed(where, question)
    for now in measure(where, now, [start] * len(question.variants), exact, **given):  # noqa: B007, B020  # the last one is wanted
        pass
    return now


def test_blocks_go_on_until_there_is_an_answer(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    outcome = judge(run(tmp_path, question("plain", "slow"), exact))
    assert (outcome.verdict, outcome.blocks) == ("regressed", FIRST)
    assert len(measured_jobs) == 2 * (1 + FIRST)
    same = judge(run(tmp_path / "same", question("plain", "other"), exact))
    assert same.verdict == "fine"


def test_a_block_has_one_seed_and_no_other_has_it(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    run(tmp_path, question("plain", "slow"), exact)
    seeds = [job.case.seed for job in measured_jobs]
    assert seeds[::2] == seeds[1::2]
    assert len(set(seeds)) == len(seeds) // 2


def firsts(question: Comparison, count: int = 400) -> list[int]:
    """Variant that goes first, block by block."""
    return [order(question, block)[0].variant for block in range(count)]


def test_each_side_goes_first_as_often_and_which_does_is_chance(question: Question) -> None:
    found = firsts(question("plain", "slow"))
    assert all({*found[k : k + 2]} == {0, 1} for k in range(0, 400, 2))
    assert 58 < Counter(found[::2])[0] < 142  # six standard deviations
    again = Counter(pairwise(found[::2]))
    assert min(again.values()) > 20  # nor does one pair of blocks tell the next
    assert firsts(question("plain", "slow")) == found


def test_no_two_comparisons_have_one_order(question: Question) -> None:
    found = firsts(question("plain", "slow"))
    assert firsts(question("plain", "other")) != found
    assert firsts(question("plain", "slow", seed=2)) != found


def test_of_three_each_goes_before_each_as_often(question: Question) -> None:
    asked = question("one", "two", "three")
    places = [{step.variant: step.place for step in order(asked, block)} for block in range(200)]
    for old, new in ((0, 1), (1, 2), (0, 2)):
        assert sum(place[old] < place[new] for place in places) == 100
    assert len({tuple(place) for place in places}) == 6


def test_variants_of_a_task_stay_together(question: Question) -> None:
    asked = question("one", "two")
    both = replace(
        asked, tasks=(asked.tasks[0], replace(asked.tasks[0], model=MODELS["unordered"]))
    )
    turns = [[step.task for step in order(both, block)] for block in range(50)]
    assert {tuple(each) for each in turns} == {(0, 0, 1, 1), (1, 1, 0, 0)}
    for block in range(50):
        assert sorted((each.variant, each.task) for each in order(both, block)) == [
            (0, 0),
            (0, 1),
            (1, 0),
            (1, 1),
        ]


def test_sampling_lasts_as_long_as_it_must(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    found = run(tmp_path, question("plain", "slow"), exact)
    pilot = next(each for each in found.readings if each.block == PILOT)
    asked = {job.case.settings.draws for job in measured_jobs[2:]}
    pace = max(each.metrics["draws_per_second"] for each in found.readings if each.block == PILOT)
    chains = pilot.case.settings.chains - 1
    assert len(asked) == 1  # the same on both sides
    assert LEAST_SECONDS <= chains * min(asked) / pace < LEAST_SECONDS + chains * 1000 / pace


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch, measured_jobs: list[Job]) -> None:  # noqa: ARG001  # whose processes are timed
    """Let each process with empty caches take 60 s, of which 55 compile, and each other one 5 s."""
    fake, kept = blocks.run_case, blocks.reading

    def compiling(work: Job, out: Path, *, worker: Worker, **rest: Any) -> Any:
        (worker.caches / "module").write_text("compiled")
        return fake(work, out, worker=worker, **rest)

    def reading(record: Any, place: Place, exact: Exact) -> Any:
        found = kept(record, replace(place, seconds=60.0 if place.cold else 5.0), exact)
        return replace(found, metrics=found.metrics | ({"compile_s": 55.0} if place.cold else {}))

    monkeypatch.setattr(blocks, "run_case", compiling)
    monkeypatch.setattr(blocks, "reading", reading)


def cold_blocks(found: Comparison) -> set[int]:
    for each in found.readings:
        assert (each.metrics["compile_s"] is None) == (not each.cold)
    return {each.block for each in found.readings if each.cold and each.block != PILOT}


@pytest.mark.usefixtures("timed")
def test_caches_are_empty_as_far_as_other_blocks_have_paid_for_it(
    tmp_path: Path, question: Question, exact: Exact, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cold_blocks(run(tmp_path / "dear", question("plain", "slow"), exact)) == set()
    monkeypatch.setattr(caches, "COLD_SHARE", 0.6)
    assert cold_blocks(run(tmp_path / "half", question("plain", "slow"), exact)) == {9}


@pytest.mark.usefixtures("timed")
def test_caches_are_empty_in_each_block_where_compiling_is_asked_for(
    tmp_path: Path, question: Question, exact: Exact
) -> None:
    asked = replace(question("plain", "slow"), metrics=("compile_s",))
    found = run(tmp_path, asked, exact)
    assert cold_blocks(found) == {0, 1, 2}  # after which it is known to repeat
    assert judge(found).answered


def test_a_budget_that_reaches_no_look_begins_no_block(
    tmp_path: Path, question: Question, exact: Exact
) -> None:
    found = run(tmp_path, question("plain", "slow"), exact, budget=10.0)
    assert {each.block for each in found.readings} == {PILOT}
    assert judge(found).verdict == "inconclusive"


def test_a_wrong_side_ends_it(tmp_path: Path, question: Question, exact: Exact) -> None:
    outcome = judge(run(tmp_path, question("plain", "biased"), exact))
    assert outcome.verdict == "invalid"
    assert outcome.blocks < 2
    broken = judge(run(tmp_path / "broken", question("broken", "plain"), exact))
    assert broken.verdict == "not measured"
    assert "ValueError: no" in broken.trusts[0].reasons[0]


def test_stopped_it_goes_on_with_what_it_has(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, question("plain", "stopped"), exact)
    kept = folder.read(tmp_path)
    assert kept is not None
    begun = len(kept.readings)
    assert begun == len(measured_jobs) - 1
    found = run(tmp_path, question("plain", "stopped"), exact)
    assert found.readings[:begun] == kept.readings
    whole = run(tmp_path / "whole", question("plain", "stopped"), exact)
    order_of = [(each.block, each.variant, each.case) for each in found.readings]
    assert order_of == [(each.block, each.variant, each.case) for each in whole.readings]


def test_what_is_answered_is_not_measured_again(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    run(tmp_path, question("plain", "slow"), exact)
    before = len(measured_jobs)
    assert judge(run(tmp_path, question("plain", "slow"), exact)).verdict == "regressed"
    assert len(measured_jobs) == before


def test_what_is_on_disk_is_all_of_it(tmp_path: Path, question: Question, exact: Exact) -> None:
    found = run(tmp_path, question("plain", "slow"), exact)
    assert folder.read(tmp_path) == found
    assert len(json.loads((tmp_path / folder.NAME).read_text())["readings"]) == len(found.readings)
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.NAME]


def test_what_failed_is_measured_again_and_what_is_wrong_is_not(
    tmp_path: Path,
    question: Question,
    measured_jobs: list[Job],
    exact: Exact,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = blocks.run_case

    def failing(work: Job, out: Path, **rest: Any) -> Any:
        record = fake(work, out, **rest)
        return Failure(work.case, "crash", "SIGKILL") if len(measured_jobs) == 8 else record

    monkeypatch.setattr(blocks, "run_case", failing)
    assert judge(run(tmp_path, question("plain", "slow"), exact)).verdict == "not measured"
    assert len(measured_jobs) == 8
    found = run(tmp_path, question("plain", "slow"), exact)
    assert judge(found).verdict == "regressed"
    assert len(measured_jobs) == 1 + 2 * (1 + FIRST)
    assert measured_jobs[8].case == measured_jobs[7].case
    wrong = run(tmp_path / "wrong", question("plain", "biased"), exact)
    before = len(measured_jobs)
    assert run(tmp_path / "wrong", question("plain", "biased"), exact) == wrong
    assert len(measured_jobs) == before


def test_what_fails_between_the_ends_is_dropped_and_the_ends_go_on(
    tmp_path: Path,
    question: Question,
    measured_jobs: list[Job],
    exact: Exact,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = judge(run(tmp_path / "at once", question("plain", "broken", "slow"), exact))
    assert (at_once.verdict, at_once.blocks) == ("regressed", FIRST)
    assert [job.case.backend for job in measured_jobs].count("broken") == 1
    fake = blocks.run_case

    def failing(work: Job, out: Path, **rest: Any) -> Any:
        record = fake(work, out, **rest)
        late = work.case.backend == "other" and work.case.seed == 4
        return Failure(work.case, "crash", "SIGKILL") if late else record

    monkeypatch.setattr(blocks, "run_case", failing)
    asked = question("plain", "other", "slow")
    found = run(tmp_path, asked, exact)
    assert judge(found).verdict == "regressed"
    between = [each for each in found.readings if each.variant == 1]
    assert [each.block for each in between] == [PILOT, 0, 1, 2]
    before = len(measured_jobs)
    assert run(tmp_path, asked, exact) == found  # it is not measured long after the others
    assert len(measured_jobs) == before


def test_a_pilot_that_failed_is_measured_again(
    tmp_path: Path, question: Question, measured_jobs: list[Job], exact: Exact
) -> None:
    for _ in range(2):
        found = run(tmp_path, question("plain", "broken"), exact)
        assert [each.variant for each in found.readings if each.failure] == [1]
    assert [job.case.backend for job in measured_jobs].count("broken") == 2


@pytest.mark.usefixtures("timed")
def test_a_cold_pilot_does_not_end_what_has_room(
    tmp_path: Path, question: Question, exact: Exact
) -> None:
    whole = 2 * FIRST * 5.0
    found = run(tmp_path, question("plain", "slow"), exact, budget=whole + 100.0)
    assert judge(found).blocks == FIRST
    tight = run(tmp_path / "tight", question("plain", "slow"), exact, budget=whole / 2 - 10.0)
    assert judge(tight).blocks == 0


@pytest.mark.usefixtures("timed")
def test_a_busy_minute_does_not_end_what_may_have_room(
    tmp_path: Path, question: Question, exact: Exact
) -> None:
    budget = 2 * FIRST * 5.0 - 10.0
    found = run(tmp_path, question("plain", "slow"), exact, budget=budget)
    assert 0 < judge(found).blocks < FIRST
    assert spent(found) <= budget
    measured = len(found.readings)
    again = run(tmp_path, question("plain", "slow"), exact, budget=budget)
    assert len(again.readings) == measured

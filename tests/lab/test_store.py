"""The folder of a run: what goes in stays whole, and nothing of anyone else's is touched."""

from dataclasses import replace

import numpy as np
import pytest

from gmixbench.disk import DamagedRecordError, write_record
from gmixbench.lab import datasets, store
from gmixbench.lab.store import FolderError, Plan
from gmixbench.record import Failure
from gmixbench.spec import MODELS, Dataset, Prior

DATA = datasets.load("overlapping")
HERE = {"python": "3.13.0", "pymc": "6.4.0"}


@pytest.fixture
def plan(make_case):
    return Plan("quick", (make_case(seed=0), make_case(seed=1)), HERE)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def prepare(out, plan, *data, fresh=False):
    store.prepare(out, plan, data or [DATA], fresh=fresh)


def finish(out, *cases):
    for case in cases:
        write_record(store.stem(out, case), Failure(case, "crash", "planted"))


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_plan_comes_back_as_it_was(out, plan):
    prepare(out, plan)
    assert store.read_plan(out) == store.plan_of(out) == plan
    np.testing.assert_array_equal(store.read_data(out, "overlapping"), DATA.x)


def test_finished_cases_are_no_longer_pending(out, plan):
    prepare(out, plan)
    finish(out, plan.cases[0])
    assert store.pending(out, plan.cases) == [plan.cases[1]]
    assert [record.case for record in store.records(out, plan)] == [plan.cases[0]]


def test_cases_are_added_to_a_folder(out, plan, make_case):
    prepare(out, plan)
    finish(out, *plan.cases)
    more = replace(plan, cases=(plan.cases[1], make_case(seed=2)))
    prepare(out, more)
    assert store.read_plan(out).cases == (*plan.cases, make_case(seed=2))
    assert store.pending(out, more.cases) == [make_case(seed=2)]


def test_fresh_starts_over(out, plan, make_case):
    prepare(out, plan)
    finish(out, *plan.cases)
    for name in ("scores.json", "report.html", "ranking.html", "figures/one.png"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("old")
    other = Plan("standard", (make_case(seed=7),), {"python": "3.14.0"})
    prepare(out, other, replace(DATA, x=DATA.x + 1), fresh=True)
    assert set(files(out)) == {"plan.json", "data/overlapping.npy"}
    assert store.read_plan(out) == other


def test_fresh_touches_no_file_that_a_run_did_not_leave(out, plan):
    prepare(out, plan)
    (out / "notes.txt").write_text("mine")
    (out / "jobs-2026").mkdir()
    prepare(out, plan, fresh=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "jobs-2026").is_dir()


def test_a_plan_of_another_program_is_left_alone(out, plan):
    (out / "data").mkdir(parents=True)
    (out / "data" / "mine").write_text("mine")
    (out / "plan.json").write_text('{"steps": []}')
    before = files(out)
    for fresh in (False, True):
        with pytest.raises(DamagedRecordError, match=r"plan\.json is damaged: it has no 'cases'"):
            prepare(out, plan, fresh=fresh)
    assert files(out) == before


CHANGES = {
    "another version": (
        lambda plan: replace(plan, environment={**HERE, "pymc": "6.5.0"}),
        "pymc 6.4.0, here is 6.5.0",
    ),
    "a package more": (
        lambda plan: replace(plan, environment={**HERE, "jax": "1.0"}),
        "jax none, here is 1.0",
    ),
    "a package less": (
        lambda plan: replace(plan, environment={"python": "3.13.0"}),
        "pymc 6.4.0, here is none",
    ),
    "another sigma": (
        lambda plan: replace(plan, cases=tuple(with_model(plan, sigma=2.0))),
        "'overlapping' with another sigma or prior",
    ),
    "another prior": (
        lambda plan: replace(plan, cases=tuple(with_model(plan, prior=Prior(scale=5.0)))),
        "'overlapping' with another sigma or prior",
    ),
}


def with_model(plan, **changes):
    return [replace(case, model=replace(MODELS["ordered"], **changes)) for case in plan.cases]


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES.keys())
def test_what_does_not_belong_together_is_kept_apart(change, words, out, plan):
    prepare(out, plan)
    finish(out, *plan.cases)
    before = files(out)
    with pytest.raises(FolderError) as caught:
        prepare(out, change(plan))
    message = str(caught.value)
    assert words in message
    assert message.endswith("give another --out, or --fresh to start over")
    assert len(message.splitlines()) == 1
    assert files(out) == before


@pytest.mark.parametrize("x", [DATA.x + 1e-9, DATA.x[:-1]])
def test_other_data_of_the_same_name_are_kept_apart(x, out, plan):
    prepare(out, plan)
    before = files(out)
    with pytest.raises(FolderError, match="on other data named 'overlapping'"):
        prepare(out, plan, Dataset("overlapping", x))
    assert files(out) == before


def test_a_folder_that_no_run_made_is_told(tmp_path):
    assert store.read_plan(tmp_path) is None
    with pytest.raises(FolderError, match=r"holds no run: it has no plan\.json"):
        store.plan_of(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cases": [3]}', "null", "\udcff"])
def test_a_damaged_plan_is_named(content, out, plan):
    prepare(out, plan)
    (out / "plan.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(DamagedRecordError, match=r"plan\.json is damaged: "):
        store.read_plan(out)


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY\x01\x00"])
def test_damaged_data_are_named(content, out, plan):
    prepare(out, plan)
    (out / "data" / "overlapping.npy").write_bytes(content)
    with pytest.raises(DamagedRecordError, match=r"overlapping\.npy is damaged: "):
        store.read_data(out, "overlapping")


def test_leftovers_of_a_killed_run_are_removed(out, plan):
    prepare(out, plan)
    finish(out, plan.cases[0])
    before = files(out)
    for name in (".writing-a.json", "runs/.writing-b.npz", "data/.writing-c.npy"):
        (out / name).write_text("half")
    (out / "runs" / ".job-x" / "numba").mkdir(parents=True)
    (out / "runs" / ".job-x" / "job.npz").write_text("half")
    prepare(out, plan)
    assert files(out) == before
    assert not (out / "runs" / ".job-x").exists()


def test_a_run_that_was_killed_before_its_data_were_kept_goes_on(out, plan):
    prepare(out, plan)
    (out / "data" / "overlapping.npy").unlink()
    prepare(out, plan)
    np.testing.assert_array_equal(store.read_data(out, "overlapping"), DATA.x)


def test_an_unfinished_run_is_found_by_its_plan_and_data(tmp_path, plan):
    old, new = tmp_path / "20260101-000000-quick", tmp_path / "20260102-000000-quick"
    assert store.unfinished(tmp_path / "none", plan, [DATA]) is None
    for out in (old, new):
        prepare(out, plan)
    assert store.unfinished(tmp_path, plan, [DATA]) == new
    finish(new, plan.cases[0])
    assert store.unfinished(tmp_path, plan, [DATA]) == new
    assert store.unfinished(tmp_path, plan, [replace(DATA, x=DATA.x + 1)]) is None
    assert store.unfinished(tmp_path, replace(plan, environment={}), [DATA]) is None
    assert store.unfinished(tmp_path, replace(plan, cases=plan.cases[:1]), [DATA]) is None
    finish(new, plan.cases[1])
    assert store.unfinished(tmp_path, plan, [DATA]) is None


def test_a_damaged_plan_does_not_stop_the_search(tmp_path, plan):
    prepare(tmp_path / "20260101-000000-quick", plan)
    prepare(tmp_path / "20260102-000000-quick", plan)
    (tmp_path / "20260102-000000-quick" / "plan.json").write_text("{")
    assert store.unfinished(tmp_path, plan, [DATA]) == tmp_path / "20260101-000000-quick"

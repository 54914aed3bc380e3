"""Exchanges by uv itself, among releases that stand in an index on this machine."""

from dataclasses import replace

import pytest

from gmixbench.lab import locking, uv
from gmixbench.lab.comparison import holding, trial
from gmixbench.lab.comparison.holding import held, steps
from gmixbench.lab.comparison.sides import of, side
from gmixbench.lab.stacks import StackError

OLD = dict.fromkeys(("numpyro", "jax", "jaxlib", "numpy", "scipy", "tqdm"), "1")
NEW = dict.fromkeys(OLD, "2")


@pytest.fixture
def row(index, locks, lock_file):
    """Two releases of NumPyro, of which each was locked with all else in the same version."""
    needs = ["jax", "jaxlib", "numpy", "scipy", "tqdm"]
    index.add("numpyro", "1", "2026-01-01", needs)
    index.add("numpyro", "2", "2026-06-01", needs)
    for name in needs:
        index.add(name, "1", "2026-01-01")
        index.add(name, "2", "2026-06-01")
        index.add(name, "3", "2026-06-24")  # by neither one's cut-off
    for version, day in (("1", "2026-01-22"), ("2", "2026-06-22")):
        lock_file("numpyro", version, day, others=dict.fromkeys(needs, version))
    return side("numpyro==1", locks), side("numpyro==2", locks)


@pytest.fixture(autouse=True)
def trials(monkeypatch):
    """What is wrong with stacks, by a package and version of theirs; none is built."""
    faults = {}

    def fault(stack, package, **_):
        assert package == "numpyro"
        return next((why for each, why in faults.items() if each in stack.packages.items()), None)

    monkeypatch.setattr(trial, "fault", fault)
    return faults


def versions(side):
    return side.stack.packages


def names(sides):
    return [each.variant.name for each in sides]


def test_the_library_alone(row):
    base, new = row
    assert (versions(base), versions(new)) == (OLD, NEW)
    found = held(base, new)
    assert versions(found) == OLD | {"numpyro": "2"}
    assert found.variant.name == "numpyro==2 (dependencies held)"
    assert found.variant.held
    assert not new.variant.held
    assert (found.variant.backend, found.stack.cutoff) == ("numpyro", "2026-06-22")
    assert versions(held(new, base)) == NEW | {"numpyro": "1"}


def test_it_is_resolved_once(row, monkeypatch):
    found = held(*row)
    monkeypatch.setattr(locking, "lock", None)
    assert held(*row) == found


def test_its_command_makes_it_again(row):
    stack = held(*row).stack
    words = stack.made.split()
    end = words.index("--cutoff")
    again = locking.lock(
        stack.name, words[4:end], cutoff=words[end + 1], python=words[words.index("--python") + 1]
    )
    assert again == stack


def test_what_the_library_can_not_live_with_moves_to_where_it_is_in_the_new(index, row, like):
    index.add("numpyro", "3", "2026-06-30", ["jax>=2", "jaxlib", "numpy", "scipy", "tqdm"])
    found = held(row[0], like("3", jax="2", numpy="3"))
    assert versions(found) == OLD | {"numpyro": "3", "jax": "2"}  # Jax 3 is higher, and would do


def test_what_was_asked_for_beside_the_library_stays_there(index, locks, row):
    index.add("setuptools", "50", "2026-01-01")
    index.add("setuptools", "51", "2026-01-02")
    new = side("numpyro==2 setuptools<51", locks)
    assert versions(held(row[0], new)) == OLD | {"numpyro": "2", "setuptools": "50"}
    base = side("numpyro==1 setuptools==51", locks)
    assert versions(held(base, new)) == OLD | {"numpyro": "2", "setuptools": "51"}


@pytest.mark.usefixtures("row")
def test_a_wheel_that_no_index_has_is_held_or_exchanged_as_it_is(locks, tiny_wheel):
    numpy = str(tiny_wheel("numpy", "1", body="mine = 1\n"))
    numpyro = str(tiny_wheel("numpyro", "2+mine", needs="Requires-Dist: numpy\n"))
    base, new = side(f"numpyro==1 {numpy}", locks), side(numpyro, locks)
    source = replace(base.stack.sources[0], origin="checkout mine")
    base = of(replace(base.stack, sources=(source,)), "numpyro", "base")
    found = held(base, new).stack
    assert found.packages == {"numpyro": "2+mine", "numpy": "1"}
    assert {*found.sources} == {source, *new.stack.sources}
    back = held(new, base).stack
    assert (back.packages, back.sources) == (OLD | {"numpy": "3"}, ())


@pytest.mark.usefixtures("row")
def test_another_backend_of_the_stack_is_the_library(index, locks):
    index.add("pymc", "6", "2026-01-01", ["numpy"])
    index.add("pymc", "7", "2026-01-02", ["numpy"])
    base, new = (
        side(f"{text}:numpyro", locks) for text in ("pymc==6 numpyro==1", "pymc==7 numpyro==2")
    )
    found = held(base, new)
    assert found.variant.backend == "numpyro"
    assert versions(found)["numpyro"] == "2"
    assert versions(found)["pymc"] == "6"


def test_a_later_cut_off_of_a_package_s_own_is_that_of_both(lock_file):
    old = lock_file(
        "numpyro", "1", "2026-01-01", later={"jax": "2027-01-01", "numpy": "2025-01-01"}
    )
    new = lock_file(
        "numpyro", "2", "2026-06-01", later={"jax": "2026-09-01", "scipy": "2026-05-01"}
    )
    # Later ones let in what was locked, and an earlier one of the new stack shuts out what breaks.
    assert holding._later(old, new, "2026-06-01") == {"jax": "2027-01-01", "scipy": "2026-05-01"}
    assert holding._later(new, old, "2026-06-01") == {"jax": "2027-01-01", "numpy": "2025-01-01"}


def test_one_dependency_at_a_time(row):
    base, new = row
    taken = steps(base, new)
    assert names(taken) == [
        "numpyro==1",
        "+ numpyro 1 → 2",
        "+ jax 1 → 2, jaxlib 1 → 2",
        "+ numpy 1 → 2",
        "+ scipy 1 → 2",
        "numpyro==2",
    ]
    assert (taken[0], taken[-1]) == (base, new)
    assert versions(taken[1]) == versions(held(base, new))
    assert versions(taken[2]) == OLD | dict.fromkeys(("numpyro", "jax", "jaxlib"), "2")
    assert versions(taken[4]) == NEW | {"tqdm": "1"}


@pytest.fixture
def like(lock_file):
    """Maker of a side that has the old versions but for some."""

    def make(version="1", **others):
        packages = OLD | others
        del packages["numpyro"]
        return of(
            lock_file("numpyro", version, "2026-07-01", "it", others=packages), "numpyro", "it"
        )

    return make


def test_only_what_differs_is_a_step(row, like):
    base, _ = row
    assert names(steps(base, base)) == ["numpyro==1", "numpyro==1"]
    assert names(steps(base, like("2"))) == ["numpyro==1", "it"]
    found = names(steps(base, like(numpy="2", tqdm="2")))
    assert found == ["numpyro==1", "+ numpy 1 → 2", "it"]


def test_nothing_is_resolved_for_what_is_no_step(row, like, monkeypatch):
    monkeypatch.setattr(locking, "lock", None)
    assert names(steps(row[0], like(tqdm="2"))) == ["numpyro==1", "it"]


def test_a_wheel_of_the_same_version_is_a_step(locks, row, tiny_wheel):
    needs = "".join(f"Requires-Dist: {name}\n" for name in OLD if name != "numpyro")
    new = side(f"{tiny_wheel('numpyro', '1', needs=needs)} numpy==2", locks)
    first = steps(row[0], new)[1]
    sha256 = new.stack.sources[0].sha256
    assert first.variant.name == f"+ numpyro 1 → 1 ({sha256[:8]})"


def test_what_moves_with_another_is_named_with_it_and_is_no_step_of_its_own(index, row, like):
    index.add("jax", "4", "2026-06-02", ["numpy>=2"])
    new = like("2", jax="4", jaxlib="2", numpy="2", scipy="2", tqdm="2")
    assert names(steps(row[0], new))[1:-1] == [
        "+ numpyro 1 → 2",
        "+ jax 1 → 4, jaxlib 1 → 2, numpy 1 → 2",
        "+ scipy 1 → 2",
    ]


@pytest.mark.parametrize(
    ("faults", "found"),
    [
        ({("jax", "2"): "no"}, ["+ numpyro 1 → 2"]),
        (
            {("tqdm", "1"): "no"},
            [],
        ),
    ],
)
def test_what_does_not_import_waits_for_the_next(row, trials, faults, found):
    trials.update(faults)
    said = []
    assert names(steps(*row, say=said.append))[1:-1] == found
    assert "jax and jaxlib not without others: no" in said


def test_what_does_not_import_alone_is_exchanged_with_the_next(row, monkeypatch):
    def fault(stack, _, **__):
        return "no" if (stack.packages["jax"], stack.packages["numpy"]) == ("2", "1") else None

    monkeypatch.setattr(trial, "fault", fault)
    assert names(steps(*row))[1:-1] == [
        "+ numpyro 1 → 2",
        "+ jax 1 → 2, jaxlib 1 → 2, numpy 1 → 2",
        "+ scipy 1 → 2",
    ]


def test_what_imports_and_does_not_sample_waits_for_the_next(row):
    said = []

    def unsampled(stack):
        return (
            "time-out" if (stack.packages["jax"], stack.packages["numpy"]) == ("2", "1") else None
        )

    assert names(steps(*row, unsampled=unsampled, say=said.append))[1:-1] == [
        "+ numpyro 1 → 2",
        "+ jax 1 → 2, jaxlib 1 → 2, numpy 1 → 2",
        "+ scipy 1 → 2",
    ]
    assert said.count("jax and jaxlib not without others: time-out") == 1


class OtherPython:
    """In the place of `locking.lock`, for stacks of two Pythons of which one may be refused."""

    def __init__(self, refused=None, error=None):
        self.refused, self.error, self.asked = refused, error, []

    def __call__(self, *_, python, beside, **__):
        self.asked.append((python, beside))
        if python == self.refused:
            raise self.error
        return self.stacks[python]


@pytest.fixture
def pythons(lock_file, own_caches, monkeypatch):  # noqa: ARG001 - no test may touch the real ones
    """Two releases, each on a Python of its own, and the resolver between them."""
    base = of(
        lock_file("numpyro", "1", python="3.8", others={"jax": "1", "six": "1"}), "numpyro", "a"
    )
    new = of(
        lock_file("numpyro", "2", python="3.9", others={"jax": "2", "six": "1"}), "numpyro", "b"
    )
    resolver = OtherPython()
    mixed = {"jax": "1", "six": "1"}
    resolver.stacks = {
        python: lock_file("numpyro", "2", python=python, name=f"on-{python}", others=mixed)
        for python in ("3.8", "3.9")
    }
    monkeypatch.setattr(locking, "lock", resolver)
    return base, new, resolver


def test_python_is_held_if_it_can_be(pythons):
    base, new, resolver = pythons
    assert held(base, new).variant.packages["python"] == "3.8"
    ((_, beside),) = resolver.asked
    assert beside.pins == {"numpyro": "2"}
    assert beside.prefer["jax"] == "1"
    assert beside.wheels == frozenset()


def test_else_it_moves_and_nothing_old_is_compiled_for_it(pythons):
    base, new, resolver = pythons
    resolver.refused, resolver.error = "3.8", uv.UvError("not on it", may_differ=True)
    said = []
    assert held(base, new, say=said.append).variant.packages["python"] == "3.9"
    assert said == ["numpyro-v2: not on Python 3.8"]
    assert resolver.asked[-1][1].wheels == {"jax"}  # numpyro is exchanged, six does not differ


def test_a_fault_of_the_machine_moves_nothing(pythons):
    base, new, resolver = pythons
    resolver.refused, resolver.error = "3.8", uv.UvError("the disk is full")
    for call in (held, steps):
        with pytest.raises(StackError, match="the disk is full"):
            call(base, new)


def test_python_is_a_step_after_the_others(pythons):
    base, new, _ = pythons
    assert names(steps(base, new)) == ["a", "+ numpyro 1 → 2", "+ python 3.8 → 3.9", "b"]


def test_what_resolves_nowhere_is_no_step(pythons, monkeypatch):
    base, new, _ = pythons

    def nowhere(*_, **__):
        raise uv.UvError("no way", may_differ=True)

    monkeypatch.setattr(locking, "lock", nowhere)
    assert steps(base, new) == (base, new)
    with pytest.raises(StackError, match="no way"):
        held(base, new)


def test_what_is_installed_here_is_not_taken_apart(row, locks):
    for pair in ((row[0], side("here:exact", locks)), (side("here:exact", locks), row[0])):
        for call in (held, steps):
            with pytest.raises(StackError, match="here:exact: what is installed here can't be"):
                call(*pair)

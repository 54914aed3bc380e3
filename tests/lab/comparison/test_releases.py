import re

import pytest

from gmixbench.lab.comparison.releases import backend_of, between
from gmixbench.lab.comparison.sides import of, side
from gmixbench.lab.stacks import Source, StackError

ROWS = [
    ("pymc3", "3.11.5", "2022-03-01"),
    ("pymc", "4.4.0", "2022-11-01"),
    ("pymc", "5.9.0", "2023-10-01"),
    ("pymc", "5.10.0", "2023-10-01"),
    ("pymc", "6.0.1", "2026-05-01"),
    ("numpyro", "0.15.0", "2024-05-01"),
]


@pytest.fixture
def row(lock_file):
    """Lock files of two libraries."""
    return {
        f"{package}-v{version}": lock_file(package, version, day) for package, version, day in ROWS
    }


def names(stacks):
    return [stack.name for stack in stacks]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("pymc3-v3.11.5", "pymc-v6.0.1", [*range(5)]),
        ("pymc==4.4.0", "pymc@5.10.0", [1, 2, 3]),
        ("pymc-v5.9.0", "pymc-v5.10.0", [2, 3]),
    ],
)
def test_all_of_that_library_in_order_of_release(locks, good, bad, found):
    stacks = between(side(good, locks), side(bad, locks), locks)
    assert names(stacks) == [
        f"{package}-v{version}" for package, version, _ in map(ROWS.__getitem__, found)
    ]


def test_a_release_stands_once_and_what_is_none_not_at_all(row, locks, lock_file):
    wheel = Source("pymc-5.9.0-py3-none-any.whl", "c" * 64, "mine")
    lock_file("pymc", "5.9.0", "2023-10-01", name="a-second", others={"numpyro": "0.15.0"})
    lock_file("pymc", "5.9.0", "2023-10-01", name="the-end-again")
    lock_file("pymc", "5.9.1", "2024-01-01", name="mine", sources=(wheel,))
    lock_file("pymc", "5.9.2", "2024-01-01", name="another")
    good, bad = of(row["pymc-v4.4.0"], "pymc", "good"), of(row["pymc-v6.0.1"], "pymc", "bad")
    assert names(between(good, bad, locks)) == [
        "pymc-v4.4.0",
        "pymc-v5.9.0",
        "pymc-v5.10.0",
        "another",
        "pymc-v6.0.1",
    ]


def test_an_end_may_be_what_is_no_release(row, locks, lock_file):
    good = of(row["pymc-v5.10.0"], "pymc", "good")
    again = lock_file("pymc", "6.0.1", "2026-06-01", name="again")
    assert names(between(good, of(again, "pymc", "bad"), locks)) == ["pymc-v5.10.0", "again"]
    wheel = Source("pymc-6.0.1-py3-none-any.whl", "c" * 64, "mine")
    mine = lock_file("pymc", "6.0.1", "2026-06-01", name="mine", sources=(wheel,))
    found = between(good, of(mine, "pymc", "bad"), locks)
    assert names(found) == ["pymc-v5.10.0", "pymc-v6.0.1", "mine"]


def test_the_library_is_that_of_the_backend(row, locks, lock_file):
    old, new = (
        of(lock_file("pymc", "6.0.1", day, name=name, others={"numpyro": "0"}), "numpyro", name)
        for name, day in (("old", "2020-01-01"), ("new", "2026-06-01"))
    )
    release = of(row["numpyro-v0.15.0"], "numpyro", "release")
    assert names(between(old, release, locks)) == ["old", "numpyro-v0.15.0"]
    assert names(between(release, new, locks)) == ["numpyro-v0.15.0", "new"]
    assert names(between(old, new, locks)) == ["old", "numpyro-v0.15.0", "new"]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("pymc-v4.4.0", "numpyro-v0.15.0", "are of two libraries"),
        ("pymc-v4.4.0", "pymc==4.4.0", "are the same"),
        ("pymc-v5.9.0", "pymc-v4.4.0", "pymc-v5.9.0 (2023-10-01) came out after pymc-v4.4.0 (2022"),
        ("here:exact", "pymc-v4.4.0", "here:exact is no release"),
        ("pymc-v4.4.0", "pymc-v9.0.0", "there is no stack pymc-v9.0.0"),
    ],
)
def test_what_is_no_row_is_told_in_one_line(locks, good, bad, said):
    with pytest.raises(StackError, match=re.escape(said)) as caught:
        between(side(good, locks), side(bad, locks), locks)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("pymc3-v3.11.5", "pymc", "pymc3"),
        ("pymc-v4.4.0", "pymc3", "pymc"),
        ("pymc-v4.4.0", "pymc", "pymc"),
        ("pymc-v4.4.0", "numpyro", "numpyro"),  # of another library: beside it in one stack
        ("pymc3-v3.11.5", "my.own", "my.own"),
    ],
)
def test_a_renamed_library_is_measured_under_the_name_it_had(row, name, asked, found):
    assert backend_of(row[name], asked) == found

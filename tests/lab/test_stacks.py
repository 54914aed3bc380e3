import re
from dataclasses import replace

import pytest

from gmixbench.lab.stacks import Stack, StackError, damaged, find, folder, read, stacks

A, B = "a" * 64, "b" * 64

STACK = Stack(
    name="pymc-v5.16.2",
    ppl="pymc",
    package="pymc",
    version="5.16.2",
    released="2024-07-11",
    python="3.12",
    platform="x86_64-linux",
    cutoff="2024-08-05",
    later={"setuptools": "2025-01-01"},
    made="gmixbench stacks lock pymc-v5.16.2 pymc==5.16.2",
    by="uv 0.13.9 on 2026-11-22",
    sources=(),
    packages={"numpy": "1.26.4", "pymc": "5.16.2"},
    hashes={"numpy": (A, B), "pymc": (A,)},
)


@pytest.fixture
def put(tmp_path):
    def write(stack=STACK, change=lambda text: text):
        path = tmp_path / f"{stack.name}.txt"
        path.write_text(change(stack.text()))
        return path

    return write


def test_round_trip(put):
    assert read(put()) == STACK


def test_a_lock_is_a_requirements_file_that_pip_reads_too(put):
    lines = [line for line in put().read_text().splitlines() if not line.startswith("#")]
    pins = re.fullmatch(
        r"(\S+==\S+ \\( --hash=sha256:\w{64}( \\)?)+ ?)+", " ".join(lines).replace("    ", "")
    )
    assert pins


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# python: 3.12\n", "", "no python"),
        ("# python: 3.12\n", "# python: 3.12\n# python: 3.11\n", "line 7: python stands twice"),
        ("# python: 3.12", "# python: new", "line 6: 'new' is no python"),
        ("# released: 2024-07-11", "# released: July", "'July' is no released"),
        ("# released: 2024-07-11", "# released: 20240711", "line 5: '20240711' is no released"),
        ("# cutoff: 2024-08-05", "# cutoff: 2024-02-31", "line 8: '2024-02-31' is no cutoff"),
        ("# cutoff: 2024-08-05", "# cutoff: 9999-12-31", "line 8: '9999-12-31' is no cutoff"),
        ("setuptools=2025-01-01", "setuptools", "line 9: not NAME=DATE"),
        ("setuptools=2025-01-01", "setuptools=2025-02-29", "line 9: not NAME=DATE"),
        ("setuptools=2025-01-01", "=2025-01-01", "line 9: not NAME=DATE"),
        ("# by: uv", "# source: a.whl\n# by: uv", "line 11: not WHEEL sha256:... from ..."),
        ("# stack: pymc-v5.16.2", "# stack: pymc-v5", "name the file pymc-v5.txt"),
        ("# library: pymc", "# library: numpyro", "not of library numpyro"),
        ("# version: 5.16.2", "# version: 5.16.1", "version is not the one pinned"),
        ("pymc==5.16.2 \\", "pymc>=5.16.2 \\", "line 15: not NAME==VERSION"),
        ("pymc==5.16.2 \\", "pymc \\", "line 15: not NAME==VERSION"),
        (f"pymc==5.16.2 \\\n    --hash=sha256:{A}", "pymc==5.16.2", "line 15: pymc has no hash"),
        (f"{A}\n", f"{A[1:]}\n", "not NAME==VERSION with hashes"),
        ("numpy==1.26.4", "pymc==1.26.4", "pymc is pinned twice"),
        ("pymc==5.16.2", "jax==5.16.2", "no line pins pymc"),
    ],
)
def test_a_corrupt_lock_is_told_in_one_line(put, old, new, said):
    path = put(change=lambda text: text.replace(old, new))
    with pytest.raises(StackError, match=re.escape(said)) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lock_that_is_cut_short_anywhere_is_told(put):
    whole = STACK.text()
    for end in range(0, len(whole) - 1, 7):
        path = put(change=lambda text, end=end: text[:end])
        try:
            found = read(path)
        except StackError:
            continue
        assert found != STACK  # only hashes of the last package, or packages after it, are gone


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x00" * 500])
def test_not_a_text(tmp_path, content):
    path = tmp_path / "pymc-v5.16.2.txt"
    path.write_bytes(content)
    with pytest.raises(StackError):
        read(path)


def test_one_corrupt_lock_does_not_hide_the_others(put, tmp_path):
    put()
    put(replace(STACK, name="broken"), lambda text: text.replace("==", ">="))
    assert [each.name for each in stacks(tmp_path)] == ["pymc-v5.16.2"]
    (error,) = damaged(tmp_path)
    assert "broken.txt, line 12" in str(error)


def test_in_order_of_library_and_release(put, tmp_path):
    rows = [
        ("pymc-v5.9.1", "pymc", "pymc", "5.9.1", "2024-01-01"),
        ("pymc3-v3.5", "pymc", "pymc3", "3.5", "2018-01-01"),
        ("pymc-v5.10.0", "pymc", "pymc", "5.10.0", "2024-01-01"),
        ("numpyro-v0.1", "numpyro", "numpyro", "0.1", "2025-01-01"),
    ]
    for name, library, package, version, released in rows:
        put(
            replace(
                STACK,
                name=name,
                ppl=library,
                package=package,
                version=version,
                released=released,
                packages={package: version},
                hashes={package: (A,)},
            )
        )
    names = [each.name for each in stacks(tmp_path)]
    assert names == ["numpyro-v0.1", "pymc3-v3.5", "pymc-v5.9.1", "pymc-v5.10.0"]


def test_names_are_those_that_registries_compare(put):
    assert "num-py" in read(put(change=lambda text: text.replace("numpy==", "Num_.Py=="))).packages


def test_the_order_of_packages_does_not_change_the_lock():
    turned = replace(STACK, packages=dict(reversed(STACK.packages.items())))
    assert (turned.text(), turned.digest) == (STACK.text(), STACK.digest)


def test_remarks_do_not_change_the_digest(put):
    changed = put(
        change=lambda text: text.replace("on 2026-11-22", "on 2027-01-01").replace(
            "# made", "# A remark.\n# made"
        )
    )
    assert read(changed).digest == STACK.digest
    assert read(changed) != STACK


@pytest.mark.parametrize(
    "change",
    [
        {"python": "3.11"},
        {"platform": "arm64-darwin"},
        {"cutoff": "2024-08-06"},
        {"later": {}},
        {"packages": {"numpy": "1.26.3", "pymc": "5.16.2"}},
        {"hashes": {"numpy": (A,), "pymc": (A,)}},
    ],
)
def test_what_is_built_changes_the_digest(change):
    assert replace(STACK, **change).digest != STACK.digest


def test_find(put, tmp_path):
    put()
    assert find("pymc-v5.16.2", tmp_path) == STACK
    with pytest.raises(StackError, match=r"there is no stack other: `gmixbench stacks list`"):
        find("other", tmp_path)
    with pytest.raises(StackError, match=r"did you mean pymc-v5\.16\.2\?"):
        find("pymc-5.16.2", tmp_path)
    with pytest.raises(StackError, match="can't be a stack's name"):
        find("../pymc-v5.16.2", tmp_path)


def test_folder_of_locks(monkeypatch, tmp_path):
    monkeypatch.delenv("GMIXBENCH_STACKS", raising=False)
    assert folder().as_posix() == "benchmarks/stacks"
    monkeypatch.setenv("GMIXBENCH_STACKS", "elsewhere")
    assert folder().as_posix() == "elsewhere"
    assert folder(tmp_path) == tmp_path

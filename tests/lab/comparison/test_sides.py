import re
from dataclasses import replace

import pytest

from gmixbench.lab import building, interpreters, locking
from gmixbench.lab.comparison import here, kept, sides
from gmixbench.lab.comparison.sides import of, side
from gmixbench.lab.stacks import Source, StackError, lock_files


def test_a_stack_by_its_name(locks, lock_file):
    stack = lock_file("pymc", "6.4.0", others={"numpy": "2.5.5"})
    found = side("pymc-v6.4.0", locks)
    assert found.stack == stack
    assert (found.variant.name, found.variant.stack) == ("pymc-v6.4.0", "pymc-v6.4.0")
    assert found.variant.backend == "pymc"
    assert found.variant.packages == {
        "pymc": "6.4.0",
        "numpy": "2.5.5",
        "python": stack.python,
    }


def test_two_backends_of_one_stack(locks, lock_file):
    lock_file("pymc", "6.4.0", name="joint", others={"numpyro": "0.22.0"})
    both = [side(text, locks) for text in ("joint", "joint:pymc", "joint:numpyro", "joint:my.own")]
    assert [each.variant.backend for each in both] == ["pymc", "pymc", "numpyro", "my.own"]
    assert {each.variant.stack for each in both} == {"joint"}
    digests = [each.variant.digest for each in both]
    assert digests[0] == digests[1]
    assert len({*digests}) == 3


def test_the_digest_is_that_of_the_lock(lock_file):
    stack = lock_file("pymc", "6.4.0", others={"numpy": "2.5.5"})
    first = of(stack, "pymc", "a").variant.digest
    assert of(stack, "pymc", "another name").variant.digest == first
    other = replace(stack, packages={**stack.packages, "numpy": "2.5.4"})
    assert of(other, "pymc", "a").variant.digest != first


def test_what_is_installed_here(locks):
    found = side("here:exact", locks)
    assert found.stack is None
    assert (found.variant.stack, found.variant.backend) == ("here", "exact")
    assert found.variant.packages == here.packages()
    assert found.variant.digest == here.digest("exact")


@pytest.mark.parametrize("text", ["pymc==6.3.2", "pymc@6.3.2", " PyMC == 6.3.2 "])
@pytest.mark.usefixtures("own_caches")
def test_a_version_that_has_a_lock_is_that_stack(locks, lock_file, text):
    stack = lock_file("pymc", "6.3.2")
    lock_file("pymc", "6.3.2", name="other-pymc")
    lock_file("pymc", "6.4.0")
    assert side(text, locks).stack == stack
    assert side(f"{text.strip()}:my.own", locks).variant.backend == "my.own"
    assert side(text, locks).variant.name == text


@pytest.mark.usefixtures("own_caches")
def test_one_lock_by_another_name_will_do_but_not_two(locks, lock_file):
    stack = lock_file("pymc", "6.3.2", name="mine")
    assert side("pymc==6.3.2", locks).stack == stack
    lock_file("pymc", "6.3.2", name="mine-too")
    with pytest.raises(StackError, match="several stacks have it: name one of mine, mine-too"):
        side("pymc==6.3.2", locks)


WHEEL = Source("numpyro-0.2-py3-none-any.whl", "c" * 64, "mine")


@pytest.mark.parametrize("change", [{"sources": (WHEEL,)}, {"platform": "arm64-darwin"}])
def test_a_lock_of_a_wheel_or_of_another_machine_is_not_that_version(
    index, locks, lock_file, change
):
    index.add("numpyro", "0.2")
    lock_file("numpyro", "0.2", **change)
    found = side("numpyro==0.2", locks)
    assert (found.stack.sources, found.stack.platform) == ((), interpreters.platform_name())


def test_a_version_without_a_lock_is_locked_on_the_spot(index, locks):
    index.add("numpyro", "0.1", "2026-01-01", needs=["jax"])
    index.add("jax", "1", "2026-01-02")
    index.add("jax", "2", "2026-03-01")
    said = []
    found = side("numpyro==0.1", locks, say=said.append)
    assert found.stack.packages == {"numpyro": "0.1", "jax": "1"}
    assert found.stack.cutoff == "2026-01-22"
    assert str(kept.folder()) in said[-1]
    assert lock_files(locks) == ()
    assert [path.stem for path in lock_files(kept.folder())] == [found.variant.stack]
    assert side(found.variant.stack, locks).stack == found.stack


def test_it_is_not_resolved_twice_a_day(index, locks, monkeypatch):
    index.add("numpyro", "0.1")
    first = side("numpyro>=0.1", locks)
    index.add("numpyro", "0.2")
    assert side("numpyro>=0.1", locks).stack == first.stack
    monkeypatch.setattr(sides, "_today", lambda: "2999-01-01")
    assert side("numpyro>=0.1", locks).stack.version == "0.2"
    assert side("numpyro==0.1", locks).variant.digest == first.variant.digest


def test_several_requirements_and_a_backend(index, locks):
    index.add("numpyro", "0.1", needs=["jax"])
    index.add("jax", "1")
    index.add("jax", "2")
    index.add("pymc", "6.0")
    found = side("numpyro==0.1, jax<2 pymc:pymc", locks)
    assert found.stack.packages == {"numpyro": "0.1", "jax": "1", "pymc": "6.0"}
    assert (found.stack.package, found.variant.backend) == ("numpyro", "pymc")


def test_the_name_of_a_library_is_its_newest_release(index, locks, tmp_path, monkeypatch):
    index.add("numpyro", "0.1")
    index.add("numpyro", "0.2")
    assert side("numpyro", locks).stack.version == "0.2"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpyro").mkdir()
    with pytest.raises(StackError, match=r"write \./numpyro for the folder, or a version"):
        side("numpyro", locks)


@pytest.mark.usefixtures("own_caches")
def test_a_wheel_is_what_is_in_it(locks, tiny_wheel):
    path = tiny_wheel()
    first = side(str(path), locks)
    assert first.variant.packages["numpyro"] == "0.0.1"
    assert side(str(path), locks) == first
    tiny_wheel(body="one = 2\n")
    assert side(str(path), locks).variant.digest != first.variant.digest


@pytest.fixture
def built(monkeypatch, tiny_wheel):
    """Maker of wheels in the place of a checkout's own build; gives the folders that it built."""
    folders = []

    def build(_, checkout, *__):
        folders.append(checkout)
        return tiny_wheel(body=(checkout / "numpyro.py").read_text())

    monkeypatch.setattr(locking, "_built", build)
    return folders


@pytest.mark.usefixtures("own_caches", "built")
def test_a_checkout_is_what_is_built_of_it(locks, tmp_path):
    folder = tmp_path / "my numpyro"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "numpyro.py").write_text("one = 1\n")
    first = side(str(folder), locks)
    assert first.stack.sources[0].origin == "checkout my numpyro"
    assert side(str(folder), locks) == first
    (folder / "numpyro.py").write_text("one = 2\n")
    assert side(str(folder), locks).variant.digest != first.variant.digest


@pytest.fixture
def repository(tmp_path):
    """Git repository of one file, and a function that commits."""
    import subprocess

    path = tmp_path / "project"
    path.mkdir()

    def commit(text):
        (path / "numpyro.py").write_text(text)
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (["add", "."], [*who, "commit", "--quiet", "-m", "it"]):
            subprocess.run(["git", "-C", str(path), *words], check=True)

    subprocess.run(["git", "init", "--quiet", "-b", "main", str(path)], check=True)
    commit("one = 1\n")
    return path, commit


@pytest.mark.usefixtures("own_caches")
def test_an_address_is_what_stands_there_now(locks, repository, built):
    path, commit = repository
    text = f"numpyro @ git+file://{path}@main"
    first = side(text, locks)
    assert first.variant.packages["numpyro"] == "0.0.1"
    assert side(text, locks) == first
    assert len(built) == 1
    commit("one = 2\n")
    assert side(text, locks).variant.digest != first.variant.digest
    with pytest.raises(StackError, match=r"is not pymc: it is numpyro"):
        side(f"pymc @ git+file://{path}@main", locks)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it names nothing"),
        ("pymc-v6.4.1", "there is no stack pymc-v6.4.1: did you mean pymc-v6.4.0?"),
        ("../pymc-v6.4.0", "there is no ../pymc-v6.4.0"),
        ("here", "say what of it: here:pymc"),
        ("here:stan", "unknown backend stan: choose from pymc, pymc-c, "),
        ("here:no.such", "there is no source file of a module no.such"),
        ("pymc-v6.4.0:numpyro", "pymc-v6.4.0 has no numpyro"),
        ("pymc-v6.4.0:exact", "no stack has exact: write here:exact"),
        ("pymc=6.4.0", "'pymc=6.4.0' is no requirement"),
        ("six==1.16.0", "'six==1.16.0': none of pymc3, pymc, numpyro is among its requirements"),
        ("gone.whl", "there is no wheel gone.whl"),
        ("./gone", "there is no ./gone"),
        ("pymc==6.9", "could not be fetched: check the network"),
        ("git+file:///gone@v1", "git ls-remote failed"),
    ],
)
@pytest.mark.usefixtures("own_caches")
def test_what_can_not_be_had_is_told_in_one_line(locks, lock_file, text, said):
    lock_file("pymc", "6.4.0")
    with pytest.raises(StackError, match=re.escape(said)) as caught:
        side(text, locks)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith((repr(text), text))
    assert not building.environments()

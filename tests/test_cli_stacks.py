"""`gmixbench stacks`, called as its users call it."""

import json
import sys
from pathlib import Path

import pytest

from gmixbench.lab import building, interpreters, locking, stacks
from gmixbench.lab.stacks import Stack


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GMIXBENCH_STACKS", raising=False)


def locked(folder, name="pymc-v5.16.2", **changes):
    """A lock file that is whole, and can't be built: no machine has that Python."""
    whole = {
        "name": name,
        "ppl": "pymc",
        "package": "pymc",
        "version": "5.16.2",
        "released": "2024-07-11",
        "python": "2.6",
        "platform": "x86_64-linux",
        "cutoff": "2024-08-05",
        "later": {},
        "made": "gmixbench stacks lock ...",
        "by": "uv",
        "sources": (),
        "packages": {"pymc": "5.16.2", "pytensor": "2.25.2"},
        "hashes": {"pymc": ("a" * 64,), "pytensor": ("b" * 64,)},
    }
    path = folder / "benchmarks" / "stacks" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(Stack(**{**whole, **changes}).text())
    return path


def test_no_locks(call):
    for command in ("list", "build", "doctor"):
        done = call("stacks", command)
        assert done.code == 2
        assert "no lock files in benchmarks/stacks" in done.err


def test_list(call, tmp_path):
    locked(tmp_path)
    done = call("stacks", "list")
    assert done.code == 0
    assert "pymc-v5.16.2" in done.out
    assert "pytensor 2.25.2" in done.out
    assert "not built" in done.out


def test_a_damaged_lock_is_listed_and_the_others_stand(call, tmp_path):
    locked(tmp_path)
    locked(tmp_path, name="broken").write_text("pymc>=5\n")
    done = call("stacks", "list")
    assert done.code == 3
    assert "pymc-v5.16.2" in done.out
    assert "broken.txt: the header has no stack" in done.err


def test_list_where_told(call, tmp_path, monkeypatch):
    folder = locked(tmp_path / "away").parent
    assert call("stacks", "list", "--locks", folder).code == 0
    monkeypatch.setenv("GMIXBENCH_STACKS", str(folder))
    assert call("stacks", "list").code == 0


def test_doctor(call, tmp_path):
    locked(tmp_path)
    locked(tmp_path, name="other")
    done = call("stacks", "doctor")
    assert done.code == 3
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["other", "pymc-v5.16.2"]
    assert all("no Python 2.6 runs here" in line for line in lines)


def test_doctor_tells_of_a_wrong_name_where_all_else_is_well(call, tmp_path):
    here = {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "packages": {"pymc": "5.16.2"},
    }
    locked(tmp_path, platform=interpreters.platform_name(), **here)
    done = call("stacks", "doctor")
    assert (done.code, done.err) == (0, "")
    assert done.out == "pymc-v5.16.2: can be built: gmixbench stacks build pymc-v5.16.2\n"
    assert call("stacks", "doctor", "pymc-v5.16.2", "gone").code == 3


def test_what_can_not_be_built_is_told_and_the_others_go_on(call, tmp_path):
    locked(tmp_path)
    locked(tmp_path, name="other")
    done = call("stacks", "build")
    assert done.code == 3
    assert done.err.count("no Python 2.6 runs on this machine") == 2


@pytest.mark.parametrize("command", ["build", "doctor"])
def test_a_name_that_is_wrong_does_not_stop_the_others(call, tmp_path, command):
    locked(tmp_path)
    locked(tmp_path, name="broken").write_text("pymc>=5\n")
    done = call("stacks", command, "gone", "broken", "pymc-v5.16.2", "gone")
    assert done.code == 3
    assert "no Python 2.6 runs" in done.out + done.err
    assert done.err.count("there is no stack gone") == 1
    assert "broken.txt: the header has no stack" in done.err


@pytest.mark.parametrize("command", ["build", "doctor"])
def test_nothing_but_wrong_names(call, tmp_path, command):
    locked(tmp_path, name="broken").write_text("pymc>=5\n")
    assert call("stacks", "list").code == 2
    for names in (["gone", "broken"], []):
        done = call("stacks", command, *names)
        assert done.code == 2
        assert len(done.err.splitlines()) == max(len(names), 1)


def test_wrong_use(call, tmp_path):
    locked(tmp_path)
    for arguments, said in [
        (["build", "gone"], "there is no stack gone"),
        (["remove"], "name the stacks to remove, or say --all"),
        (["remove", "x", "--all"], "name the stacks to remove, or say --all"),
        (["lock", "a/b", "pymc==5.16.2"], "can't be a stack's name"),
        (["lock", "a", "pymc==5", "--exclude-newer-package", "x"], "PACKAGE=DATE is wanted"),
        (["lock", "a", "pymc==5", "--cutoff", "soon"], "'soon' is no date"),
    ]:
        done = call("stacks", *arguments)
        assert done.code == 2
        assert said in done.err
        assert len(done.err.splitlines()) == 1


def built(path, size):
    """The environment of a lock as if it were whole, with one file of that many bytes."""
    stack = stacks.read(path)
    place = building.environment(stack)
    place.mkdir(parents=True)
    (place / "file").write_bytes(b"x" * size)
    told = {"digest": stack.digest, "uv": "", "python": "", "seconds": 1, "files": {}}
    (place / building.MARKER).write_text(json.dumps(told))
    return place


def test_list_tells_what_environments_use(call, tmp_path):
    built(locked(tmp_path, name="whole"), 3_000_000)
    (built(locked(tmp_path, name="begun"), 2_000_000) / building.MARKER).unlink()
    locked(tmp_path, name="never")
    lines = call("stacks", "list").out.splitlines()
    rows = {line.split()[0]: line for line in lines if line}
    assert rows["whole"].endswith("3 MB  3 MB")
    assert "not built" in rows["begun"]
    assert "not built" in rows["never"]
    assert rows["2"].startswith("2 environments in")
    assert "use 5 MB, shared files counted" in rows["2"]


def test_remove(call, tmp_path):
    done = call("stacks", "remove", "--all")
    assert (done.code, done.out) == (0, "0 environments removed\n")
    first, second = (built(locked(tmp_path, name=name), 1) for name in ("a", "b"))
    assert call("stacks", "remove", "b").out == "1 environment removed\n"
    assert (first.exists(), second.exists()) == (True, False)
    assert call("stacks", "remove", "--all").out == "1 environment removed\n"
    assert not first.exists()


def test_a_lock_is_made_as_asked(call, tmp_path, monkeypatch):
    path, asked = locked(tmp_path), []

    def lock(name, requirements, *, say, **options):
        asked.append((name, requirements, options))
        say("resolving")
        return stacks.read(path)

    monkeypatch.setattr(locking, "lock", lock)
    words = [
        "--cutoff",
        "2024-08-05",
        "--python",
        "3.12",
        "--exclude-newer-package",
        "a=2024-09-01",
    ]
    done = call("stacks", "lock", "pymc-v5.16.2", "pymc==5.16.2", *words, "--locks", "new")
    assert (done.code, done.err) == (0, "resolving\n")
    assert done.out == "new/pymc-v5.16.2.txt: 2 packages on Python 2.6 as of 2024-08-05\n"
    options = {"cutoff": "2024-08-05", "python": "3.12", "later": {"a": "2024-09-01"}}
    assert asked == [("pymc-v5.16.2", ["pymc==5.16.2"], options)]
    assert Path("new/pymc-v5.16.2.txt").read_text() == path.read_text()
    assert call("stacks", "lock", "pymc-v5.16.2", "pymc==5.16.2").code == 2
    assert call("stacks", "lock", "--force", "pymc-v5.16.2", "pymc==5.16.2").code == 0


def test_remove_names_what_is_not_there(call):
    place = building.cache() / "stacks" / "there-0123456789ab"
    place.mkdir(parents=True)
    done = call("stacks", "remove", "there", "nope")
    assert done.code == 2
    assert "nope: no environment of that stack is in" in done.err
    assert place.is_dir()
    assert call("stacks", "remove", "there").out == "1 environment removed\n"
    assert not place.exists()


def test_a_lock_is_not_replaced_unasked(call, tmp_path):
    path = locked(tmp_path)
    before = path.read_text()
    done = call("stacks", "lock", "pymc-v5.16.2", "pymc==5.16.1")
    assert done.code == 2
    assert "has a stack pymc-v5.16.2: give another name, or --force" in done.err
    assert path.read_text() == before

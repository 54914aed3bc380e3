import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from gmixbench.lab import building, doctor, interpreters, locking, uv
from gmixbench.lab.stacks import StackError

REPOSITORY = str(Path(__file__).parents[2])

SIX = {
    "six": "1.16.0",
    "sha256": "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254",
}


@contextmanager
def refused(said):
    """Expect one line that names the stack."""
    with pytest.raises(StackError, match=said) as caught:
        yield
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("tiny: ")


def module_of(stack):
    """File of the library in the stack's environment."""
    (path,) = building.environment(stack).glob("lib/python*/site-packages/numpyro/__init__.py")
    return path


def of_another_lock(marker):
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"digest": "0" * 64}))


def with_six(stack, version=SIX["six"], digest=SIX["sha256"]):
    """A stack that needs a package from the registry as well."""
    return replace(
        stack,
        packages={**stack.packages, "six": version},
        hashes={**stack.hashes, "six": (digest,)},
    )


def test_the_cache_is_where_its_user_says(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GMIXBENCH_CACHE", "here")
    assert building.cache() == tmp_path / "here"
    monkeypatch.delenv("GMIXBENCH_CACHE")
    assert building.cache() == platformdirs.user_cache_path("gmixbench")


def test_built_once(tiny_stack):
    stack, said = tiny_stack(), []
    python = building.build(stack, say=said.append)
    assert said == [f"tiny: building on Python {stack.python}"]
    line = "import numpyro; print(numpyro.one)"
    assert subprocess.run([python, "-c", line], capture_output=True, check=True).stdout == b"1\n"
    assert building.faults(stack) == ()
    assert list(building.environment(stack).glob("lib/python*/site-packages/numpyro/__pycache__/*"))
    assert building.build(stack, say=said.append) == python
    assert len(said) == 1
    place = building.environment(stack)
    assert {each.name for each in place.parent.iterdir()} == {place.name, f".{place.name}.lock"}


def test_two_builds_of_one_stack_do_not_differ(tiny_stack):
    stack = tiny_stack()
    building.build(stack)
    first = building.built(stack).files
    building.remove(["tiny"])
    building.build(stack)
    second = building.built(stack).files
    assert first.keys() == second.keys()
    assert all(first[path].size == second[path].size for path in first)


def test_another_lock_has_another_environment(tiny_stack):
    first, second = tiny_stack(), tiny_stack(body="one = 2\n")
    assert building.build(first) != building.build(second)
    assert building.faults(first) == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text(""),  # in place: uv's cache has the same file
        lambda path: path.write_text("one = 2\n"),
        lambda path: path.unlink(),
        lambda path: next(path.parent.glob("__pycache__/*.pyc")).write_bytes(b""),
        lambda path: (path.parents[4] / "bin" / "python").unlink(),
        lambda path: (path.parents[4] / building.MARKER).write_text("{"),
        lambda path: of_another_lock(path.parents[4] / building.MARKER),
    ],
    ids=["cut short", "edited", "gone", "bytecode", "python", "marker", "another lock"],
)
def test_damage_is_seen_and_mended(tiny_stack, damage):
    stack, said = tiny_stack(), []
    python = building.build(stack)
    before = module_of(stack).read_text()
    damage(module_of(stack))
    assert building.faults(stack)
    assert building.build(stack, say=said.append) == python
    assert building.faults(stack) == ()
    assert module_of(stack).read_text() == before


@pytest.mark.parametrize("damage", ["", "one = 2\n"], ids=["cut short", "edited"])
def test_damage_in_the_cache_of_uv_reaches_no_other_stack(tiny_stack, damage):
    first = tiny_stack()
    building.build(first)
    linked = module_of(first).stat().st_nlink > 1  # not where caches are on another disk
    module_of(first).write_text(damage)
    other, said = replace(first, name="other"), []
    building.build(other, say=said.append)
    assert module_of(other).read_text() == "one = 1\n"
    if linked:
        assert any("damaged in uv's cache: numpyro" in line for line in said)
    building.build(first)
    assert module_of(first).read_text() == "one = 1\n"


def test_stacks_that_share_files_do_not_damage_each_other(tiny_stack):
    first = tiny_stack()
    building.build(first)
    other = replace(first, name="other")
    building.build(other)
    building.remove(["other"])
    assert building.faults(first) == ()


def test_an_environment_of_an_older_gmixbench_is_held_to_sizes_alone(tiny_stack):
    stack, said = tiny_stack(), []
    building.build(stack)
    marker = building.environment(stack) / building.MARKER
    told = json.loads(marker.read_text())
    told["files"] = {path: size for path, (size, _) in told["files"].items()}
    marker.write_text(json.dumps(told))
    module_of(stack).write_text("one = 2\n")
    building.build(stack, say=said.append)
    assert said == []
    module_of(stack).write_text("")
    building.build(stack, say=said.append)
    assert "numpyro/__init__.py is damaged" in said[0]
    module_of(stack).write_text("one = 2\n")
    assert building.faults(stack)


def test_what_was_left_half_done_is_built_again(tiny_stack):
    stack = tiny_stack()
    place = building.environment(stack)
    (place / "lib").mkdir(parents=True)
    (place / "lib" / "rest").write_text("left behind")
    assert building.faults(stack) == (building.NOT_BUILT,)
    building.build(stack)
    assert not (place / "lib" / "rest").exists()


SLOW_UV = """
#!/bin/sh
sleep 1
exec {uv} "$@"
"""

BUILD = """
import sys
from pathlib import Path
from gmixbench.lab import building, stacks, uv
if sys.argv[2]:
    uv.find = lambda: Path(sys.argv[2])
building.build(stacks.read(Path(sys.argv[1])), say=lambda line: print(line, flush=True))
"""


@pytest.fixture
def elsewhere(tiny_stack, tmp_path, monkeypatch):
    """Starter of a process that builds the tiny stack, with a uv that takes its time if asked."""
    monkeypatch.setenv("PYTHONPATH", REPOSITORY)
    slow = tmp_path / "slow-uv"
    slow.write_text(SLOW_UV.format(uv=uv.find()).lstrip())
    slow.chmod(0o755)
    stack = tiny_stack()
    lock = locking.write(stack, tmp_path / "locks")
    started = []

    def start(*, slowly):
        command = [sys.executable, "-c", BUILD, str(lock), str(slow) if slowly else ""]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield stack, start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_two_processes_build_once(elsewhere):
    stack, start = elsewhere
    both = [start(slowly=True), start(slowly=True)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(text.count("building on") for text in said) == 1
    assert sum(text.count("waiting for another build") for text in said) == 1
    assert building.faults(stack) == ()


def test_killed_while_uv_works(elsewhere):
    stack, start = elsewhere
    process = start(slowly=True)
    assert "building on" in process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)  # uv lives on
    said = []
    building.build(stack, say=said.append)
    assert said[0] == "tiny: waiting for another build"
    assert building.faults(stack) == ()


def test_one_of_three_is_killed(elsewhere):
    stack, start = elsewhere
    first = start(slowly=True)
    assert "building on" in first.stdout.readline()
    others = [start(slowly=True), start(slowly=True)]
    for process in others:
        assert "waiting for another build" in process.stdout.readline()
    first.send_signal(signal.SIGKILL)
    said = [process.communicate()[0] for process in others]
    assert [process.returncode for process in others] == [0, 0], said
    assert sum(text.count("building on") for text in said) == 1
    assert building.faults(stack) == ()


@pytest.mark.slow
def test_killed_at_any_moment(elsewhere):
    stack, start = elsewhere
    for k in range(24):
        building.remove()
        process = start(slowly=False)
        time.sleep(0.1 + 0.02 * k)
        process.send_signal(signal.SIGKILL)
        building.build(stack)
        assert building.faults(stack) == ()


def test_a_wheel_that_only_another_machine_has(tiny_stack):
    stack = tiny_stack()
    (source,) = stack.sources
    building.wheel_path(source.sha256, source.wheel).unlink()
    with refused(re.escape("needs numpyro-0.0.1-py3-none-any.whl")):
        building.build(stack)
    (diagnosis,) = doctor.diagnose([stack])
    assert "is not here" in diagnosis.lacks[0]


def test_another_platform(tiny_stack):
    stack = replace(tiny_stack(), platform="s390x-zos")
    with refused("locked for s390x-zos"):
        building.build(stack)
    (diagnosis,) = doctor.diagnose([stack])
    assert "locked for s390x-zos" in diagnosis.lacks[0]


def test_no_such_python(tiny_stack):
    stack = replace(tiny_stack(), python="2.6")
    with refused("no Python 2.6 runs on this machine"):
        building.build(stack)
    (diagnosis,) = doctor.diagnose([stack])
    assert "no Python 2.6 runs here" in diagnosis.lacks[0]


def test_no_network(tiny_stack):
    with refused("could not be fetched: check the network"):
        building.build(with_six(tiny_stack()))
    assert building.environments() == ()


def test_offline(tiny_stack, monkeypatch):
    stack = with_six(tiny_stack())
    monkeypatch.setenv("UV_OFFLINE", "1")
    with refused("could not be fetched: check the network"):
        building.build(stack)


def test_a_wheel_that_is_not_the_one_locked(tiny_stack):
    stack = replace(tiny_stack(), hashes={"numpyro": ("0" * 64,)})
    with refused("does not have the hash that the lock has"):
        building.build(stack)


def test_no_uv(tiny_stack, monkeypatch, tmp_path):
    stack = tiny_stack()
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="pip install uv"):
        building.build(stack)
    with pytest.raises(StackError, match="pip install uv"):
        list(doctor.diagnose([stack]))


def test_remove(tiny_stack):
    first, second = tiny_stack(), tiny_stack(name="tiny-2")
    building.build(first)
    building.build(second)
    assert building.remove(["tiny"]) == 1
    assert building.built(second)
    assert building.remove(["tiny"]) == 0
    assert building.remove() == 1
    assert building.environments() == ()


def test_disk_use_counts_shared_files_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own").write_bytes(b"x" * 4096)
    (tmp_path / "a" / "shared").write_bytes(b"x" * 8192)
    os.link(tmp_path / "a" / "shared", tmp_path / "b" / "shared")
    first, second = building.disk_use(tmp_path / "a"), building.disk_use(tmp_path / "b")
    assert (first.total, first.own) == (12288, 4096)
    assert building.together([first, second]) == 16384


def test_files_that_go_while_they_are_counted_are_passed_over(tmp_path, monkeypatch):
    (tmp_path / "here").write_bytes(b"x" * 4096)
    monkeypatch.setattr(os, "walk", lambda place: [(place, [], ["gone", "here"])])
    assert building.disk_use(tmp_path).total == 4096


def test_a_disk_that_is_full_at_the_end_leaves_nothing(tiny_stack, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(building, "_mark", full)
    with refused("the disk is full: make room"):
        building.build(tiny_stack())
    assert building.environments() == ()


def test_doctor(tiny_stack, monkeypatch):
    stack = tiny_stack()
    (diagnosis,) = doctor.diagnose([stack])
    assert diagnosis == doctor.Diagnosis("tiny", (), built=False)
    building.build(stack)
    (diagnosis,) = doctor.diagnose([stack])
    assert diagnosis == doctor.Diagnosis("tiny", (), built=True)
    module_of(stack).write_text("")
    (diagnosis,) = doctor.diagnose([stack])
    assert "numpyro/__init__.py is damaged" in diagnosis.lacks[0]
    monkeypatch.setattr(doctor, "COMPILERS", ("no-such-compiler",))
    monkeypatch.setattr(
        interpreters,
        "find",
        lambda version: interpreters.Interpreter(version, Path(sys.executable), headers=False),
    )
    theano = replace(
        stack, packages={**stack.packages, "theano": "1"}, hashes={**stack.hashes, "theano": ()}
    )
    (diagnosis,) = doctor.diagnose([theano])
    assert "no C++ compiler" in diagnosis.lacks[0]
    assert "Python.h" in diagnosis.lacks[1]


# From here on with the real registry.


@pytest.fixture
def registry(monkeypatch):
    """The index that the machine has."""

    def allow():
        for name in ("UV_DEFAULT_INDEX", "UV_HTTP_RETRIES"):
            monkeypatch.delenv(name)

    return allow


@pytest.mark.slow
def test_a_hash_that_does_not_match(tiny_stack, registry):
    stack = with_six(tiny_stack(), digest="0" * 64)
    registry()
    with refused("six.*hash"):
        building.build(stack)


@pytest.mark.slow
def test_a_release_that_is_gone(tiny_stack, registry):
    stack = with_six(tiny_stack(), version="1.99.9")
    registry()
    with refused(r"no index has six==1\.99\.9"):
        building.build(stack)


@pytest.mark.slow
def test_a_yanked_release_is_built_and_told(tiny_stack, registry):
    stack = tiny_stack()
    registry()
    stack = locking.lock("tiny", [str(_only_wheel(stack)), "attrs==21.1.0"], python=stack.python)
    said = []
    building.build(stack, say=said.append)
    assert any("attrs==21.1.0" in line and "yanked" in line for line in said)


def _only_wheel(stack):
    (source,) = stack.sources
    return building.wheel_path(source.sha256, source.wheel)


@pytest.mark.slow
def test_damage_of_what_the_registry_sent(tiny_stack, registry):
    stack, said = with_six(tiny_stack()), []
    registry()
    building.build(stack)
    (six,) = building.environment(stack).glob("lib/python*/site-packages/six.py")
    before = six.read_bytes()
    six.write_bytes(before[:1000])
    building.build(stack, say=said.append)
    assert "six.py is damaged" in said[0]
    assert six.read_bytes() == before


@pytest.mark.slow
def test_a_full_disk(tiny_stack, tmp_path, monkeypatch):
    stack = tiny_stack(body="# three megabytes\n" * 170_000)
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")  # root alone may; a mock proves nothing
    try:
        wheel = _only_wheel(stack)
        monkeypatch.setenv("GMIXBENCH_CACHE", str(small))
        kept = _only_wheel(stack)
        kept.parent.mkdir(parents=True)
        kept.symlink_to(wheel)
        with refused("the disk is full: make room"):
            building.build(stack)
        assert building.built(stack) is None
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
def test_a_cold_machine_needs_the_time_of_uv_and_two_seconds(tmp_path, monkeypatch):
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))
    stack = locking.lock("cold", ["numpyro==0.18.0"], python="3.12", cutoff="2025-04-01")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    in_uv = 0.0
    run = uv.run

    def timed(*arguments, **options):
        nonlocal in_uv
        begun = time.monotonic()
        words = run(*arguments, **options)
        in_uv += time.monotonic() - begun
        return words

    monkeypatch.setattr(uv, "run", timed)
    begun = time.monotonic()
    building.build(stack)
    total = time.monotonic() - begun
    print(f"{total:.2f} s, of which uv {in_uv:.2f} s")  # noqa: T201 - pytest shows it with -s
    assert total - in_uv < 2.0


@pytest.mark.parametrize(
    ("packages", "needed"),
    [
        ({"theano": "1.0.2"}, True),
        ({"aesara": "2.8.7"}, True),
        ({"pytensor": "2.38.3"}, True),
        ({"pytensor": "3.0.4"}, False),
        ({"jax": "0.5.3"}, False),
    ],
)
def test_which_engines_need_a_compiler(tiny_stack, packages, needed):
    assert doctor.needs_compiler(replace(tiny_stack(), packages=packages)) == needed

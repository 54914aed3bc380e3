"""Stopped at any moment, by Ctrl-C or by SIGKILL: what is finished stays, and the rest goes on."""

import json
import os
import signal
import time

import pytest

from gmixbench.cli import exits
from gmixbench.disk import read_record

PATIENCE = 120.0

pytestmark = pytest.mark.usefixtures("no_report")


def wait_for(what):
    until = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < until:
        time.sleep(0.01)


@pytest.fixture
def steady(plant, tmp_path):
    """Options of a run of six cases, and the file where each begins a line with its worker."""
    log = tmp_path / "log"
    log.touch()
    source = f"""
    sample_at_once = sample

    def sample(model, job):
        import os, time
        with open({str(log)!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        time.sleep(0.3)
        return sample_at_once(model, job)
    """
    options = ["--profile", "quick", "--method", "nuts", "--model", "ordered", "--out", "out"]
    for seed in range(6):
        options += ["--seed", str(seed)]
    return ["run", *options, "--backend", plant("steady", source)], log


def code_of(process):
    """Exit code as a shell tells it.

    CPython's `-c` and `-m` end by SIGINT itself where the KeyboardInterrupt met an `exec` of text
    (a module that makes a named tuple has one), whoever caught it later.
    """
    return 128 - process.returncode if process.returncode < 0 else process.returncode


def workers(log):
    return [int(line) for line in log.read_text().splitlines()]


def records(folder):
    """When each record that stands was made; each is whole."""
    found = {}
    for path in folder.glob("runs/*.json"):
        read_record(path.with_suffix(""))
        found[path] = path.stat().st_mtime_ns
    return found


def check_whole(folder, kept):
    """All is there, what stood before was not made again, and nothing is left over."""
    made = records(folder)
    assert len(made) == 6
    assert kept.items() <= made.items()
    assert len(json.loads((folder / "scores.json").read_text())["scores"]) == 6
    assert not list(folder.rglob(".writing-*"))
    assert not list(folder.glob("runs/.job-*"))


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(steady, start, call, gone, tmp_path):
    command, log = steady
    process = start(tmp_path, command)
    wait_for(lambda: len(workers(log)) == 2 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert code_of(process) == exits.INTERRUPTED, err
    assert "cases to go; run it again to go on" in out
    assert err == ""
    assert gone(*workers(log))
    assert not list((tmp_path / "out" / "runs").glob(".*"))
    kept = records(tmp_path / "out")
    assert 1 <= len(kept) < 6
    assert f"{len(kept)} of 6 cases are in out already" in call(*command).out
    check_whole(tmp_path / "out", kept)
    assert len(workers(log)) == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_before_the_first_case(number, steady, start, tmp_path):
    process = start(tmp_path, steady[0])
    wait_for((tmp_path / "out" / ".lock").exists)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert code_of(process) == exits.INTERRUPTED, err
    assert err == ""


def kill_and_go_on(steady, start, call, gone, folder, delays):
    """Kill the run so many seconds after it has begun a case, again and again."""
    command, log = steady
    kept, begun = {}, 0
    for delay in delays:
        process = start(folder, command)
        wait_for(lambda: len(workers(log)) > begun or process.poll() is not None)  # noqa: B023  # called at once
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        assert gone(*workers(log))
        begun = len(workers(log))
        made = records(folder / "out")
        assert kept.items() <= made.items()
        kept = made
    call(*command)
    check_whole(folder / "out", kept)
    # A case is begun again only where it was killed.
    assert len(workers(log)) <= 6 + len(delays)


@pytest.mark.slow
def test_killed_at_any_moment_the_next_run_completes(steady, start, call, gone, tmp_path):
    kill_and_go_on(steady, start, call, gone, tmp_path, [0.05, 0.33])


@pytest.mark.slow
def test_killed_at_many_moments_the_next_run_completes(steady, start, call, gone, tmp_path):
    delays = [0.29, 0.3, 0.305, 0.31, 0.315, 0.32, 0.33, 0.34, 0.36, 0.4]
    kill_and_go_on(steady, start, call, gone, tmp_path, delays)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.1, 0.3, 0.5, 0.7, 0.9, 1.2, 1.5])
def test_killed_before_the_first_case_the_next_run_completes(delay, steady, start, call, tmp_path):
    command, _ = steady
    process = start(tmp_path, command)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    call(*command)
    check_whole(tmp_path / "out", {})

"""A history as repositories for asv, and what the real asv says there."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gmixbench.lab import history as disk
from gmixbench.report import asv_repository
from gmixbench.report.asv_repository import RepositoryError, write_asv_repositories
from gmixbench.ruler.history import History, Measurement, Release, Session
from gmixbench.spec import MODELS, Case, NutsSettings

VERSIONS = ("3.9", "3.10", *(f"4.{k}" for k in range(12)))  # 3.10 sorts before 3.9 as a text
SLOWER = "4.6"

LEVEL = {
    "seconds_per_gradient": 2e-5,
    "draws_per_second": 5e3,
    "ess_per_second": 8e2,
    "compile_s": 12.0,
    "rhat": 1.0,
    "occupancy_error": 0.001,
}


def history(rounds=3, **steps):
    """Releases of PyMC, and one of NumPyro; a step is a factor of a metric from `SLOWER` on."""
    releases = [
        Release(f"pymc-v{v}", "pymc", "pymc", v, f"2024-{k + 1:02}-10", "3.12", {"pymc": v})
        for k, v in enumerate(VERSIONS[:12])
    ] + [
        Release(f"pymc-v{v}", "pymc", "pymc", v, f"2025-{k + 1:02}-10", "3.13", {"pymc": v})
        for k, v in enumerate(VERSIONS[12:])
    ]
    other = Release(
        "numpyro-v1", "numpyro", "numpyro", "1", "2025-01-01", "3.13", {"numpyro": "1", "jax": "2"}
    )
    names = tuple(release.stack for release in (other, *releases))
    rng = np.random.default_rng(3)
    late = VERSIONS.index(SLOWER)
    rows = tuple(
        Measurement(
            case=Case("close", model, release.ppl, "nuts", NutsSettings(), release.stack, k),
            session="first",
            round=k,
            began=f"2026-01-0{k + 1}T00:00:00+00:00",
            lock="0",
            valid=True,
            metrics={
                name: level
                * (steps.get(name, 1.0) if place >= late else 1.0)
                * float(np.exp(rng.normal(0, 0.02)))
                for name, level in LEVEL.items()
            },
        )
        for k in range(rounds)
        for place, release in enumerate([*releases, other])
        for model in MODELS.values()
    )
    machine = {"cpu": "Some CPU @ 3 GHz", "cores": "2", "platform": "Linux"}
    session = Session(
        "first", "2026-01-01", machine, (), names, (0, 1, 2), "close", tuple(MODELS), ("nuts",)
    )
    return History("quick", (other, *releases), (session,), rows)


def write(some, folder, locks=None):
    stacks = {release.stack for release in some.releases}
    return write_asv_repositories(some, stacks, locks or {}, folder)


def asv(folder, *arguments):
    command = [sys.executable, "-m", "asv", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def published(folder):
    """Regressions that asv finds, as (name, version, ratio), and its index."""
    asv(folder, "publish")
    index = json.loads((folder / "html" / "index.json").read_text())
    found = json.loads((folder / "html" / "regressions.json").read_text())["regressions"]
    tags = {revision: tag for tag, revision in index["tags"].items()}
    told = {
        (name, tags[new], round(after / before, 1) if before else math.inf)
        for name, *_, jumps in found
        for _, new, before, after in jumps
    }
    return told, index


def results(folder, tag):
    commit = git(folder, "rev-parse", tag).strip()
    (path,) = folder.glob(f"results/*/{commit[:8]}-*.json")
    data = json.loads(path.read_text())
    return {
        name: dict(zip(data["result_columns"], row, strict=True))
        for name, row in data["results"].items()
    }


def test_asv_finds_what_got_slower_and_only_that(tmp_path):
    # The fourth is worse too, but of what may be zero a ratio says nothing.
    made = history(
        seconds_per_gradient=1.5, draws_per_second=1.5, ess_per_second=0.5, occupancy_error=4.0
    )
    write(made, tmp_path / "out")
    found, index = published(tmp_path / "out" / "pymc")
    assert found == {
        (f"nuts.{name}('close', '{model}')", SLOWER, ratio)
        for name, ratio in (("seconds_per_gradient", 1.5), ("seconds_per_effective_draw", 2.0))
        for model in MODELS
    }
    assert sorted(index["tags"], key=index["tags"].get) == list(VERSIONS)
    assert list(index["params"]["machine"]) == ["Some-CPU-3-GHz"]


def test_asv_finds_nothing_in_a_flat_history(tmp_path):
    write(history(), tmp_path / "out")
    assert published(tmp_path / "out" / "pymc")[0] == set()


def test_an_invalid_release_is_seen(tmp_path):
    made = history(rounds=2)
    wrong = {f"pymc-v{v}" for v in VERSIONS[-4:]}
    rows = tuple(
        replace(row, valid=False, reasons=("bias: of <mean>, 9 MCSE off",))
        if row.case.stack in wrong and row.case.model.ordered
        else row
        for row in made.measurements
    )
    write(replace(made, measurements=rows), tmp_path)
    folder = tmp_path / "pymc"
    last, first = results(folder, VERSIONS[-1]), results(folder, VERSIONS[0])
    assert last["nuts.seconds_per_gradient"]["result"][1] is None
    assert last["nuts.seconds_per_gradient"]["result"][0] > 0
    assert math.isnan(last["nuts.peak_memory"]["result"][0])  # not measured is not failed
    assert (first["nuts.invalid"]["result"], last["nuts.invalid"]["result"]) == ([0.0], [0.5])
    assert "1/2 failed" in asv(folder, "show", VERSIONS[-1])
    found, index = published(folder)
    assert found == {("nuts.invalid", VERSIONS[-4], math.inf)}
    told = index["benchmarks"]["nuts.invalid"]["code"]
    assert "4.8 to 4.11 (4 releases), ordered NUTS: bias: of &lt;mean&gt;" in told


def test_rounds_are_samples(tmp_path):
    write(history(), tmp_path)
    row = results(tmp_path / "pymc", "4.0")["nuts.seconds_per_draw"]
    for value, samples in zip(row["result"], row["samples"], strict=True):
        assert len(samples) == 3
        assert value == sorted(samples)[1]
    assert row["params"] == [["'close'"], ["'unordered'", "'ordered'"]]
    assert row["started_at"] == 1767398400000  # 2026-01-03 UTC: the last round


def test_commits_are_releases(tmp_path):
    locks = {"pymc-v4.11": "# its own lock\npymc==4.11\n"}
    write(history(), tmp_path, locks)
    log = git(tmp_path / "pymc", "log", "--reverse", "--format=%cd %D", "--date=short").splitlines()
    assert log[1] == "2024-02-10 tag: 3.10"
    assert log[-1] == "2025-02-10 HEAD -> main, tag: 4.11"
    assert len(log) == len(VERSIONS)
    assert git(tmp_path / "pymc", "status", "--short") == ""
    assert (tmp_path / "pymc" / "requirements.txt").read_text() == locks["pymc-v4.11"]
    pins = git(tmp_path / "numpyro", "show", "1:requirements.txt").splitlines()
    assert pins[1:] == ["jax==2", "numpyro==1"]


def test_the_same_releases_give_the_same_commits(tmp_path, monkeypatch):
    write(history(), tmp_path / "one")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Someone\n[init]\ndefaultBranch = trunk\n[commit]\ngpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00")
    write(history(rounds=1, compile_s=3.0), tmp_path / "two")  # measured anew
    monkeypatch.delenv("GIT_DIR")
    heads = [git(tmp_path / name / "pymc", "rev-parse", "main") for name in ("one", "two")]
    assert heads[0] == heads[1]
    changed = history()
    last = replace(changed.releases[-1], released="2025-02-11")
    write(replace(changed, releases=(*changed.releases[:-1], last)), tmp_path / "one")
    assert git(tmp_path / "one" / "pymc", "rev-parse", "main") != heads[0]


def test_releases_of_one_version_are_told_apart(tmp_path):
    made = history(rounds=1)
    twin = replace(made.releases[-1], stack="pymc-v4.11-again")
    write(replace(made, releases=(*made.releases, twin)), tmp_path)
    tags = git(tmp_path / "pymc", "tag").split()
    assert {"pymc-v4.11", "pymc-v4.11-again", "4.10"} <= set(tags)


def test_ours_is_made_anew_and_others_refused(tmp_path):
    out = tmp_path / "out"
    write(history(), out)
    (out / "pymc" / "html").mkdir()
    write(history(compile_s=2.0), out)
    assert sorted(path.name for path in out.iterdir()) == ["numpyro", "pymc"]
    assert not (out / "pymc" / "html").exists()
    (out / "pymc" / "asv.conf.json").write_text('{"version": 1}')
    with pytest.raises(RepositoryError, match=r"out/pymc is there, and .* did not make it"):
        write(history(), out)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("all of it")
    with pytest.raises(RepositoryError, match="theirs is there"):
        write(history(), theirs)
    assert [path.name for path in theirs.iterdir()] == ["thesis.tex"]


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    write(history(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    def fail(_, releases, *__):
        if releases[0].ppl == "pymc":  # the second
            raise OSError("disk full")
        return {}

    monkeypatch.setattr(asv_repository, "asv_files", fail)
    with pytest.raises(OSError, match="disk full"):
        write(history(), tmp_path)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert after == before
    monkeypatch.undo()
    (tmp_path / ".writing-killed").mkdir()
    write(history(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numpyro", "pymc"]


def test_what_cannot_be_replaced_stays(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(FileNotFoundError):
        asv_repository._put(tmp_path / "nothing", target, aside=tmp_path / "aside")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_git_that_fails_or_is_not_there_is_one_line(tmp_path, monkeypatch):
    made = history(rounds=1)
    odd = replace(made.releases[0], version="1..2")  # no tag's name
    with pytest.raises(RepositoryError, match=r"git fast-import in .* says: "):
        write(replace(made, releases=(odd,)), tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="git is not on PATH"):
        write(made, tmp_path)


def test_command_measures_nothing(call):
    made = history(rounds=1)
    disk.write_header(Path("kept"), disk.Header("quick", made.sessions))
    for release in made.releases:
        rows = [row for row in made.measurements if row.case.stack == release.stack]
        disk.append(Path("kept"), release, rows)
    before = {path: path.read_bytes() for path in Path("kept").rglob("*") if path.is_file()}
    said = call("history", "--out", "kept", "--stacks", "pymc-v4.9..", "--asv", "out")
    assert (said.code, said.err) == (0, "")
    assert said.out == "out/pymc: `asv publish` there, then `asv preview`\n"
    assert git(Path("out/pymc"), "tag").split() == ["4.10", "4.11", "4.9"]
    assert before == {path: path.read_bytes() for path in Path("kept").rglob("*") if path.is_file()}
    assert call("history", "--out", "kept", "--library", "numpyro", "--asv", "out").code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["numpyro", "pymc"]
    assert len(git(Path("out/pymc"), "tag").split()) == 3
    for arguments, told in (
        (("--asv", "out", "--rounds", "3"), "leave --rounds out"),
        (("--asv", "kept"), "kept is there"),
        (("--asv", "out", "--stacks", "pymc-v9"), "there is no stack pymc-v9"),
    ):
        said = call("history", "--out", "kept", *arguments)
        assert said.code == 2
        assert told in said.err
        assert said.err.count("\n") == 1
    nothing = call("history", "--out", "nothing", "--asv", "new")
    assert (nothing.code, "holds no history" in nothing.err) == (2, True)
    assert not Path("new").exists()

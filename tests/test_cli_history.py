"""`gmixbench history`, called as its users call it, on releases that are done at once."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab import building, history, rounds, stacks
from gmixbench.lab.stacks import Stack, StackError
from gmixbench.spec import PROFILES, AdviSettings, NutsSettings, Profile

QUICK = ("history", "--model", "ordered", "--method", "nuts", "--rounds", "2", "--out", "out")


def lock(package, k, **changes):
    name = package.replace(".", "-")
    whole = {
        "name": f"v{k}",
        "ppl": "numpyro",
        "package": package,
        "version": str(k),
        "released": f"2026-01-0{k}",
        "python": "3.13",
        "platform": "x86_64-linux",
        "cutoff": f"2026-01-0{k}",
        "later": {},
        "made": "by hand",
        "by": "no one",
        "sources": (),
        "packages": {name: str(k)},
        "hashes": {name: ("a" * 64,)},
    }
    stack = Stack(**{**whole, **changes})
    path = Path("benchmarks/stacks") / f"{stack.name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(stack.text())


@pytest.fixture
def releases(plant, planted_python, call, monkeypatch):
    """Three releases whose environment is this one; the third can't be built."""
    package = plant("fast", "")
    monkeypatch.setitem(stacks.PPLS, package, "numpyro")
    small = Profile("quick", NutsSettings(chains=2, warmup=1, draws=2000), AdviSettings(steps=10))
    monkeypatch.setitem(PROFILES, "quick", small)
    for k in (1, 2, 3):
        lock(package, k)

    def build(stack, **_):
        if stack.name == "v3":
            raise StackError("v3: no Python 2.6 runs on this machine")
        return planted_python

    monkeypatch.setattr(building, "build", build)
    return call


@pytest.fixture
def undrawn(monkeypatch):
    """No chart is drawn, which is what takes time."""
    monkeypatch.setattr("gmixbench.report.history_page.write_history_page", lambda *_: "no page")


def test_a_history_is_measured_charted_and_goes_on(releases):
    said = releases(*QUICK)
    assert said.code == 3  # the planted density is wrong, and v3 can't be had
    assert said.err == "v3: no Python 2.6 runs on this machine\n"
    assert "4/4" in said.out
    assert "wrong density" in said.out
    assert "chart: out/history.html" in said.out
    names = {path.name for path in Path("out").iterdir()}
    assert {"history.json", "history.html", "history.png", "history.md", "scores"} <= names
    again = releases(*QUICK, "--stacks", "..v2")
    assert again.code == 3
    assert "all of this is measured already in out" in again.out


def test_what_could_not_be_built_is_tried_again(releases, planted_python, monkeypatch):
    releases(*QUICK)
    again = releases(*QUICK)
    assert again.err == "v3: no Python 2.6 runs on this machine\n"
    assert "failed" in again.out
    monkeypatch.setattr(building, "build", lambda *_, **__: planted_python)
    healed = releases(*QUICK)
    assert healed.err == ""
    assert "failed" not in healed.out
    anchored = {row.session for row in history.measurements(Path("out"), "v1")}
    assert len(anchored) == 2  # measured again beside v3


@pytest.mark.usefixtures("undrawn")
def test_the_exit_code_is_that_of_what_was_asked(releases):
    asked = (*QUICK[:-4], "--rounds", "1", "--out", "out", "--stacks")
    releases(*asked, "..v2")
    whole = history.read(Path("out"))
    rows = [row for row in whole.measurements if row.case.stack == "v1"]
    history.append(Path("out"), whole.releases[0], [replace(row, valid=True) for row in rows])
    assert [releases(*asked, name).code for name in ("v1", "..v2")] == [0, 3]
    Path("benchmarks/stacks/v3.txt").write_text("pymc>=5\n")
    assert releases(*asked, "v1").code == 3  # it may have been asked for


@pytest.mark.usefixtures("undrawn")
def test_what_failed_is_measured_again_when_asked(releases, plant):
    plant("fast", "def build(job): raise RuntimeError('planted')")
    asked = (*QUICK, "--stacks", "v1")
    assert "failed" in releases(*asked).out
    plant("fast", "")
    Path("out/.writing-a.json").write_text("{")  # as a killed process leaves it
    again = releases(*asked)
    assert "all of this is measured already" in again.out
    assert "failed" in again.out
    assert not Path("out/.writing-a.json").exists()
    assert "failed" not in releases(*asked, "--retry").out


@pytest.mark.usefixtures("undrawn")
def test_a_stopped_history_goes_on(releases, monkeypatch):
    measure = rounds.measure

    def stopped(*arguments, **options):
        yield next(measure(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "measure", stopped)
    asked = (*QUICK, "--stacks", "..v2")
    said = releases(*asked)
    assert said.code == 130
    assert "stopped with 3 cases to go; run it again to go on" in said.out
    monkeypatch.setattr(rounds, "measure", measure)
    assert "3/3" in releases(*asked).out
    assert len(history.read(Path("out")).sessions) == 1


def test_a_stop_while_building_is_told(releases, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "build", stopped)
    said = releases(*QUICK)
    assert said.code == 130
    assert "stopped while building; run it again to go on" in said.out


def test_a_release_that_can_t_be_built_is_kept_as_that_alone(releases):
    said = releases(*QUICK, "--stacks", "v3")
    assert said.code == 3
    assert "failed" in said.out


def test_without_its_anchors_nothing_new_is_measured(releases, planted_python, monkeypatch):
    releases(*QUICK, "--stacks", "..v2")
    before = {path: path.read_bytes() for path in Path("out").rglob("*.json")}

    def build(stack, **_):
        if stack.name == "v3":
            return planted_python
        raise StackError(f"{stack.name}: no way to the index")

    monkeypatch.setattr(building, "build", build)
    done = releases(*QUICK, "--stacks", "v3")
    assert done.code == 3
    assert "nothing was measured: beside v1, v2 alone" in done.err
    assert {path: path.read_bytes() for path in Path("out").rglob("*.json")} == before


def test_the_history_itself_is_not_written_over(releases):
    releases(*QUICK, "--stacks", "v1")
    said = releases("history", "export", "out", "--format", "json")
    assert said.code == 0
    assert Path("out/rows.json").exists()
    said = releases("history", "export", "out", "--format", "json", "--to", "out/history.json")
    assert said.code == 2
    assert "the history itself stands there" in said.err
    said = releases("history", "export", "out", "--to", "out/history.md")
    assert said.code == 2
    assert releases("history", "report", "out").code == 0


def test_a_history_is_drawn_and_exported_from_disk(releases):
    releases(*QUICK)
    Path("out/history.html").unlink()
    assert releases("history", "report", "out").code == 0
    assert Path("out/history.html").exists()
    told = Path("out/history.md").read_text()
    assert "| NumPyro 1, 2 | wrong density |" in told
    assert "| NumPyro 3 | failed |" in told
    said = releases("history", "export", "out", "--format", "csv", "--to", "rows.csv")
    assert said.code == 0
    with Path("rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["stack"] for row in rows} == {"v1", "v2", "v3"}
    assert f"{len(rows)} rows: rows.csv" in said.out


def test_a_damaged_lock_is_told_and_the_others_are_measured(releases):
    Path("benchmarks/stacks/v3.txt").write_text("pymc>=5\n")
    said = releases(*QUICK)
    assert said.code == 3
    assert said.err.startswith("benchmarks/stacks/v3.txt: the header has no stack")
    assert "4/4" in said.out


def test_a_range_of_releases_is_measured(releases):
    releases(*QUICK, "--stacks", "v2..v2", "--rounds", "1")
    assert [path.stem for path in Path("out/scores").iterdir()] == ["v2"]
    releases(*QUICK, "--stacks", "..v2", "--rounds", "1")
    assert sorted(path.stem for path in Path("out/scores").iterdir()) == ["v1", "v2"]


BAD = {
    "no such stack": ("--stacks v1..v9", "--stacks v1..v9: there is no stack v9: did you mean"),
    "reversed range": ("--stacks v2..v1", "--stacks v2..v1: v2 came out after v1"),
    "empty range": ("--stacks ..", "--stacks '..' names no stack"),
    "no such library": ("--library stan", "unknown library 'stan': choose from pymc, numpyro"),
    "no such profile": ("--profile slow", "unknown profile 'slow'"),
    "of another library": (
        "--library pymc --stacks p1..v1",
        "--stacks p1..v1: there is no stack v1",
    ),
    "no such model": ("--model both", "unknown model 'both'"),
    "no such dataset": ("--dataset far", "unknown dataset 'far'"),
    "zero time-out": ("--timeout 0", "--timeout 0: a positive number is wanted"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_a_bad_option_is_told_in_one_line(words, message, releases):
    lock("pymc", 1, name="p1", ppl="pymc")
    said = releases("history", *words.split())
    assert said.code == 2
    assert said.err.startswith(f"gmixbench: {message}")
    assert said.err.count("\n") == 1


def test_two_libraries_need_a_range_each(releases):
    lock("pymc", 4, ppl="pymc", packages={"pymc": "4"}, hashes={"pymc": ("a" * 64,)})
    said = releases("history", "--stacks", "v1..v4")
    assert said.code == 2
    assert "two libraries" in said.err


def test_without_locks_there_is_no_history(call):
    said = call("history")
    assert said.code == 2
    assert "no lock files" in said.err


def test_another_profile_needs_another_folder(releases):
    releases(*QUICK, "--stacks", "v1")
    said = releases(*QUICK, "--profile", "standard")
    assert said.code == 2
    assert "holds a history of profile quick" in said.err


@pytest.mark.parametrize("command", ["report", "export"])
def test_a_folder_without_a_history_is_told(command, call):
    said = call("history", command, "nowhere")
    assert said.code == 2
    assert "nowhere holds no history" in said.err


def test_an_unknown_format_is_told(releases):
    said = releases("history", "export", "out", "--format", "xlsx")
    assert said.code == 2
    assert "unknown format 'xlsx': choose from csv, parquet, json" in said.err

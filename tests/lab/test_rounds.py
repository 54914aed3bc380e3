"""Rounds of a history: what is measured is scored, judged and kept, and the draws are not."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gmixbench.lab import datasets, history, planning, rounds
from gmixbench.lab.execute import Done, job
from gmixbench.lab.stacks import Source, Stack
from gmixbench.record import Failure, Run
from gmixbench.ruler.history import Session
from gmixbench.ruler.verdict import judge
from gmixbench.spec import MODELS, PROFILES, AdviSettings, Case, NutsSettings, Profile
from gmixbench.truth import oracle
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

Plant = Callable[[str, str], str]


def stack(name: str, package: str) -> Stack:
    return Stack(
        name=name,
        ppl="numpyro",
        package=package,
        version=name,
        released="2026-01-01",
        python="3.13",
        platform="x86_64-linux",
        cutoff="2026-01-01",
        later={},
        made="by hand",
        by="no one",
        sources=(),
        packages={package: name},
        hashes={package: ("0" * 64,)},
    )


def plan(folder: Path, *stacks: Stack, rounds_: int = 1):
    wanted = planning.Wanted(stacks, "quick", ("ordered",), ("nuts",), "close", rounds_)
    known = {each.name: each for each in stacks}
    session, visits = planning.plan(folder, history.Header("quick", ()), wanted, known, retry=False)
    history.write_header(folder, history.Header("quick", (session,)))
    return session, visits


@pytest.fixture(scope="module")
def exact() -> Exact:
    data = datasets.load("close")
    return solve(data.x, MODELS["ordered"])


@pytest.fixture
def few_draws(monkeypatch) -> None:
    small = Profile("quick", NutsSettings(chains=2, warmup=1, draws=2000), AdviSettings(steps=10))
    monkeypatch.setitem(PROFILES, "quick", small)


@pytest.mark.usefixtures("few_draws")
def test_measuring_keeps_scores_and_no_draws(
    tmp_path: Path, plant: Plant, planted_python: Path, exact: Exact
) -> None:
    folder = tmp_path / "history"
    fast = stack("v1", plant("fast", ""))
    broken = stack("v2", plant("broken", "def build(job): raise RuntimeError('planted')"))
    session, visits = plan(folder, fast, broken, rounds_=2)
    pythons = {"v1": planted_python, "v2": planted_python}
    done = []
    for each in rounds.measure(folder, session, visits, pythons, exact, timeout=60):
        done.append(each)
        kept = [row for name in pythons for row in history.measurements(folder, name)]
        assert len(kept) == len(done)  # before it is told
        work = folder / ".work"
        assert not (work / "runs").exists()
        assert len(list((work / "caches").iterdir())) == 1  # of this visit alone
    assert len(done) == 4
    assert sorted(path.name for path in folder.iterdir()) == ["history.json", "scores"]
    rows = history.measurements(folder, "v1")
    assert sorted(row.round for row in rows) == [0, 1]
    assert all(row.metrics and not row.valid and row.failure is None for row in rows)
    assert any("density" in reason for reason in rows[0].reasons)
    failed = history.measurements(folder, "v2")[0]
    assert failed.failure == "exception: RuntimeError: planted"


@pytest.mark.usefixtures("few_draws")
def test_versions_that_are_not_the_locked_ones_are_told(
    tmp_path: Path, plant: Plant, planted_python: Path, exact: Exact
) -> None:
    import numpy as np

    folder = tmp_path / "history"
    name = plant("fast", "")
    packages, hashes = {name: "v1", "numpy": "0.0.1"}, {name: (), "numpy": ()}
    locked = replace(stack("v1", name), packages=packages, hashes=hashes)
    session, visits = plan(folder, locked)
    list(rounds.measure(folder, session, visits, {"v1": planted_python}, exact, timeout=60))
    (row,) = history.measurements(folder, "v1")
    assert row.reasons[0] == f"numpy {np.__version__} was measured, 0.0.1 is locked"


@pytest.mark.parametrize(("model", "method"), [("unordered", "nuts"), ("ordered", "advi-matched")])
def test_a_sound_run_is_valid_but_for_versions_that_are_not_locked(
    model: str, method: str, exact: Exact
) -> None:
    settings = NutsSettings() if method == "nuts" else AdviSettings(steps=600)
    case = Case("close", MODELS[model], "exact", method, settings, stack="v1", seed=1)
    work = job(case, exact)
    built = oracle.build(work)
    found = oracle.sample(built, work) if method == "nuts" else oracle.fit_advi(built, work)
    density = oracle.density(built, work.points)
    versions = {"numpy": "2.0"}
    record = Run(case, found.timing, found.counters, density, found.result, versions, ("named",))
    locked = replace(stack("v1", "numpy"), packages=versions)
    visit = planning.Visit(0, locked, (case,))
    session = Session("first", "2026-01-01", {}, (), (), (), "close", (model,), (method,))
    row = rounds.measurement(record, session, visit, exact, datetime.now(UTC))
    verdict = judge(record, exact).verdict
    assert row.valid
    assert (verdict.labels, verdict.converged) != (None, None)
    assert (row.labels, row.converged, row.shims) == (verdict.labels, verdict.converged, ("named",))
    other = replace(visit, stack=replace(locked, packages={"numpy": "1.0"}))
    assert not rounds.measurement(record, session, other, exact, datetime.now(UTC)).valid


def test_a_row_tells_when_its_case_began(tmp_path: Path, exact: Exact, monkeypatch) -> None:
    session, visits = plan(tmp_path, stack("v1", "numpyro"))
    (case,) = visits[0].cases
    done = Done(case, Failure(case, "crash", "planted"), seconds=7200.0)
    monkeypatch.setattr(rounds, "execute", lambda *_, **__: iter([done]))
    before = datetime.now(UTC)
    list(rounds.measure(tmp_path, session, visits, {}, exact, timeout=60))
    (row,) = history.measurements(tmp_path, "v1")
    assert abs(datetime.fromisoformat(row.began) - before + timedelta(hours=2)) < timedelta(hours=1)


def test_a_checkout_has_no_version_of_a_release() -> None:
    released = stack("v1", "numpyro")
    dev = replace(released, name="dev", sources=(Source("a.whl", "0" * 64, "checkout a"),))
    assert (rounds.release(released).version, rounds.release(dev).version) == ("v1", "dev")


@pytest.mark.usefixtures("few_draws")
def test_its_user_s_path_is_not_measured(
    tmp_path: Path, plant: Plant, exact: Exact, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "history"
    session, visits = plan(folder, stack("v1", plant("fast", "")))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # a Python that heeds it does not start
    pythons = {"v1": Path(sys.executable)}
    list(rounds.measure(folder, session, visits, pythons, exact, timeout=60))
    (row,) = history.measurements(folder, "v1")
    assert row.failure == "missing: No module named 'planted'"


@pytest.mark.usefixtures("few_draws")
def test_compiling_is_told_where_caches_were_empty(
    tmp_path: Path, plant: Plant, planted_python: Path, exact: Exact
) -> None:
    folder = tmp_path / "history"
    timed = "Timing(compile_s=1.0, warmup_s=0.1, sample_s=0.1)"
    name = plant(
        "fast",
        f"""
        first = sample
        def sample(model, job):
            return first(model, job)._replace(timing={timed})
        """,
    )
    only = stack("v1", name)
    methods = ("nuts", "advi-matched")
    wanted = planning.Wanted((only,), "quick", ("unordered", "ordered"), methods, "close", rounds=2)
    session, visits = planning.plan(
        folder, history.Header("quick", ()), wanted, {"v1": only}, retry=False
    )
    list(rounds.measure(folder, session, visits, {"v1": planted_python}, exact, timeout=60))
    rows = history.measurements(folder, "v1")
    colds, warms = rows[::2], rows[1::2]
    assert len(rows) == 8
    assert {row.case.method for row in colds} == {"nuts"}  # of each model and round the first
    assert all(row.metrics["compile_s"] == 1.0 for row in colds)
    assert all(row.metrics["build_s"] is not None for row in colds)
    assert all(row.metrics[name] is None for row in warms for name in rounds.COMPILING)

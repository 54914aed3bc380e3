"""Rounds of a history: what is measured is scored, judged and kept, and the draws are not."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab import datasets, history, planning, rounds
from gmixbench.lab.stacks import Stack
from gmixbench.spec import MODELS, PROFILES, AdviSettings, NutsSettings, Profile
from gmixbench.truth.exact import Exact, solve

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
    done = list(rounds.measure(folder, session, visits, pythons, exact, timeout=60))
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
    assert not row.valid


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
    wanted = planning.Wanted(
        (only,), "quick", ("ordered",), ("nuts", "advi-matched"), "close", rounds=1
    )
    session, visits = planning.plan(
        folder, history.Header("quick", ()), wanted, {"v1": only}, retry=False
    )
    list(rounds.measure(folder, session, visits, {"v1": planted_python}, exact, timeout=60))
    cold, warm = history.measurements(folder, "v1")
    assert cold.case.method == "nuts"
    assert cold.metrics["compile_s"] == 1.0
    assert cold.metrics["build_s"] is not None
    assert all(warm.metrics[name] is None for name in rounds.COMPILING)

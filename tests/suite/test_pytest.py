"""The pytest plugin and the benchmarks that ship, as a library's developer runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gmixbench.lab.gate_files import read_side
from gmixbench.lab.results import case_row
from gmixbench.measured.backends import BACKENDS
from gmixbench.record import Density
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import DATASETS, MODELS, PROFILES, Case
from gmixbench.suite import entry, machine, plugin, test_density
from gmixbench.truth import density

ROOT = Path(__file__).parents[2]

Pytest = Callable[..., SimpleNamespace]


def exact(sleep: float = 0.3, shift: float = 0.0) -> str:
    """Source of a backend that draws from the exact posterior, sleeps, and is off by a shift."""
    return f"""
    import time

    from gmixbench.truth import oracle
    from gmixbench.truth.oracle import build, density, evaluator, fit_advi

    def sample(model, job):
        measured = oracle.sample(model, job)
        begun = time.perf_counter()
        time.sleep({sleep})  # on the clock alone: a busy machine must not look like another library
        timing = Timing(compile_s=0.5, warmup_s=0.0, sample_s=time.perf_counter() - begun)
        counters = Counters(1000, 1000 * job.case.settings.draws)
        draws = Draws(measured.result.means + {shift})
        return measured._replace(result=draws, timing=timing, counters=counters)
    """


@pytest.fixture
def run_pytest(tmp_path: Path) -> Pytest:
    """Run pytest as a stranger does: in an empty folder, in a process of its own."""

    def run(*arguments: str | Path, cwd: Path = tmp_path) -> SimpleNamespace:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)]
        # Run by pytest-xdist, we are one of its workers: what we start is none.
        ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        done = subprocess.run(
            command, cwd=cwd, env=ours, capture_output=True, text=True, check=False
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def bench(run_pytest: Pytest, tmp_path: Path) -> Pytest:
    """Run one benchmark of the installed suite and give what its file has of it, if anything."""

    def run(which: str, *arguments: str | Path, cwd: Path = tmp_path) -> SimpleNamespace:
        path = tmp_path / "saved.json"
        path.unlink(missing_ok=True)
        done = run_pytest(
            *("--pyargs", "gmixbench.suite", "--benchmark-only", f"--benchmark-json={path}"),
            *("-k", which, *arguments),
            cwd=cwd,
        )
        saved = json.loads(path.read_bytes(), parse_constant=pytest.fail) if path.exists() else {}
        done.saved, done.path, done.folder = saved, path, tmp_path
        done.benchmarks = saved.get("benchmarks", [])
        return done

    return run


NUTS = "test_nuts and not unordered"

DENSITY = "test_density and not unordered and -100]"


@pytest.fixture
def subject(plant: Callable[[str, str], str], bench: Pytest, tmp_path: Path) -> Pytest:
    """Benchmark a backend of `exact`, autosave what it gives to a folder, and give that file."""

    def run(side: str, source: str, *arguments: str, rounds: int = 1) -> SimpleNamespace:
        store = tmp_path / side
        save = ("--benchmark-autosave", f"--benchmark-storage={store}")
        told = ("--gmix-backend", plant("subject", source), f"--gmix-rounds={rounds}")
        done = bench(NUTS, *told, *save, *arguments)
        done.kept = max(store.glob("*/*.json"), default=None)
        return done

    return run


@pytest.mark.slow
def test_sessions_are_compared_and_judged_by_the_gate(subject: Pytest, call: Pytest) -> None:
    """Slowed, biased, unchanged, faster: by pytest-benchmark's own options, and by the gate."""
    fail = "--benchmark-compare-fail=median:100%"
    base = subject("base", exact())
    slow = subject("slow", exact(sleep=1.5), f"--benchmark-compare={base.kept}", fail)
    same = subject("same", exact(), f"--benchmark-compare={base.kept}", fail)
    assert (base.code, same.code) == (0, 0), base.out + same.out
    assert slow.code != 0
    assert "Performance has regressed" in slow.err + slow.out
    (benchmark,) = slow.benchmarks
    metrics = benchmark["extra_info"]["gmixbench"]["rounds"][0]["metrics"]
    ess = min(metrics["ess_bulk"], metrics["ess_tail"])
    assert benchmark["stats"]["min"] >= 1.5 * 1000 / ess

    # Without a file it is the last one that was saved there, `slow`: what follows is faster.
    faster = subject("slow", exact(), "--benchmark-compare", fail, "--benchmark-histogram=drawn")
    assert faster.code == 0, faster.out
    assert "machine_info is different" not in faster.out + faster.err
    assert "0001_" in faster.out
    assert list(faster.folder.glob("drawn*.svg"))

    # The benchmark of a biased one is not in the file; with none in it there is no file at all.
    beside = "--gmix-backend=exact"
    right = subject("right", exact(), beside)
    biased = subject("biased", exact(shift=0.1), beside)
    assert (right.code, biased.code) == (0, 1), right.out
    missed = call("gate", right.kept, biased.kept)
    assert missed.code == 3
    assert "subject" in missed.out

    assert call("gate", base.kept, slow.kept).code == 1
    assert call("gate", slow.kept, faster.kept).code in {0, 4}  # of one run a side it can't tell
    for _ in range(2):  # of three it can
        base, same = subject("base", exact()), subject("same", exact())
    unchanged = call("gate", base.kept.parent, same.kept.parent)
    assert unchanged.code == 0, unchanged.out


@pytest.mark.slow
def test_a_file_is_as_plugin_py_says(subject: Pytest) -> None:
    done = subject("saved", exact(sleep=0.0), rounds=2)
    (benchmark,) = done.benchmarks
    name = "planted.subject"
    assert benchmark["fullname"] == f"gmixbench.suite::test_nuts[ordered-close-{name}]"
    assert benchmark["name"] == name
    assert benchmark["group"] == "sampling to ESS 1000, nuts, ordered, close"
    told = benchmark["extra_info"]["gmixbench"]
    settings = PROFILES["quick"].nuts
    expected = case_row(Case("close", MODELS["ordered"], name, "nuts", settings))
    assert set(told) == {"schema", "timed", "case", "rounds"}
    assert [{**told["case"], "seed": each["seed"]} for each in told["rounds"]] == [
        {**expected, "seed": seed} for seed in (0, 1)
    ]
    for each, value in zip(told["rounds"], benchmark["stats"]["data"], strict=True):
        assert set(each) == set(entry.OF_A_ROUND)
        assert each["valid"] is True
        assert set(each["metrics"]) == set(METRICS)
        assert value == pytest.approx(1000 / each["metrics"]["ess_per_second"])
    found = done.saved["machine_info"]["gmixbench"]
    assert found["threads"] == "1"
    assert {"python", "cpu", "cores", "gmixbench", "numpy", "lock"} <= set(found)


def test_a_biased_backend_fails_and_leaves_no_time(
    plant: Callable[[str, str], str], bench: Pytest
) -> None:
    name = plant("biased", exact(sleep=0.0, shift=0.1))
    # In the clone, whose configuration takes warnings for errors.
    which = f"{NUTS} or test_compile and not unordered"
    done = bench(which, "--gmix-backend", name, "--gmix-rounds=1", cwd=ROOT)
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    assert "ERROR" not in done.out
    assert "not used" not in done.out
    assert f"{name}, ordered, close, nuts, seed 0: invalid: bias" in done.out
    assert "2 failed" in done.out
    assert done.benchmarks == []


@pytest.mark.slow
def test_a_file_tells_why_a_fit_was_refused(
    plant: Callable[[str, str], str], bench: Pytest
) -> None:
    name = plant("biased", exact(sleep=0.0, shift=0.1))
    which = f"(test_nuts or test_compile) and not unordered or {DENSITY}"
    fast = ("--gmix-rounds=2", "--benchmark-max-time=0.01")
    done = bench(which, "--gmix-backend", name, *fast)
    refused = done.saved["gmixbench_refused"]  # once, of two benchmarks
    assert [(each["method"], each["seed"]) for each in refused] == [("nuts", 0), ("nuts", 1)]
    assert all(each["reasons"][0].startswith("bias: ") for each in refused)
    cases = {key.method: some for key, some in read_side(done.path).cases.items()}
    assert [bool(one.faults) for one in cases["nuts"]] == [True, True]
    assert not any(one.faults for one in cases["density"])


@pytest.mark.slow
def test_a_wrong_density_fails_and_leaves_no_time(
    plant: Callable[[str, str], str], bench: Pytest
) -> None:
    right = plant("right", exact())
    done = bench(DENSITY, "--gmix-backend", right, "--benchmark-max-time=0.01")
    assert done.code == 0, done.out
    (benchmark,) = done.benchmarks
    told = benchmark["extra_info"]["gmixbench"]
    assert benchmark["group"] == "log density and gradient, ordered, generated-100"
    assert told["case"]["method"] == "density"
    assert told["case"]["settings"] == {"n": 100}
    assert told["rounds"][0]["metrics"]["density_error"] <= 1e-10

    slope = """
    def evaluator(model):
        right = oracle.evaluator(model)
        return lambda point: (right(point)[0], right(point)[1] * (1 + 1e-9))
    """
    done = bench(DENSITY, "--gmix-backend", plant("wrong", exact() + slope))
    assert done.code == 1
    assert "not used" not in done.out
    assert "log density or gradient is not the model's" in done.out
    assert done.benchmarks == []


@pytest.mark.parametrize("name", MODELS)
def test_the_check_takes_no_constant(name: str) -> None:
    model, x, points = MODELS[name], test_density.generated(100), test_density.POINTS
    values, gradients = density.log_density(model, x, points)
    metrics = test_density.checked(model, x, Density(points, values, gradients))
    assert metrics == {"density_error": 0.0, "density_constant": 0.0}
    with pytest.raises(pytest.fail.Exception, match=r"density_constant 0\.001 nats is not zero"):
        test_density.checked(model, x, Density(points, values + 0.001, gradients))
    with pytest.raises(pytest.fail.Exception, match="density_error"):
        test_density.checked(model, x, Density(points, np.full_like(values, np.nan), gradients))


@pytest.mark.slow
def test_a_phase_that_is_not_told_fails(bench: Pytest) -> None:
    done = bench("test_advi and not unordered", "--gmix-backend=exact", "--gmix-rounds=1")
    assert done.code == 1
    assert "exact does not tell the seconds of optimization" in done.out


@pytest.mark.slow
def test_a_missing_library_is_skipped_unless_asked_for(
    run_pytest: Pytest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hidden in ("pymc", "numpyro"):
        lines = f"import sys\nsys.modules[{hidden!r}] = None\n"
        (tmp_path / f"without_{hidden}.py").write_text(lines)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    common = ("--pyargs", "gmixbench.suite", "-p", "without_pymc", "-k", f"{DENSITY} and pymc")
    skipped = run_pytest(*common, "-rs")
    assert skipped.code == 0
    assert "pymc is not installed: pip install 'gmixbench[pymc]'" in skipped.out
    asked = run_pytest(*common, "--gmix-backend=pymc")
    assert asked.code == 1
    assert "pymc is not installed" in asked.out
    none_left = run_pytest(*common, "-p", "without_numpyro")
    assert none_left.code == 1


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--gmix-profile=fast", "--gmix-profile fast: choose from quick, standard, seed"),
        ("--gmix-backend=stan", f"--gmix-backend stan: choose from {', '.join(BACKENDS)}"),
        (
            "--gmix-backend=no.such.module",
            "--gmix-backend no.such.module: ModuleNotFoundError: No module named 'no'",
        ),
        (
            "--gmix-backend=gmixbench.such",
            "--gmix-backend gmixbench.such: ModuleNotFoundError: No module named 'gmixbench.such'",
        ),
        ("--gmix-dataset=far", f"--gmix-dataset far: choose from {', '.join(DATASETS)}"),
        ("--gmix-rounds=0", "--gmix-rounds 0: a positive whole number is wanted"),
        ("--gmix-rounds=two", "--gmix-rounds two: a positive whole number is wanted"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(argument: str, line: str) -> None:
    name, value = argument.split("=")
    repeated = (plugin.BACKEND, plugin.DATASET)
    given: dict[str, Any] = dict.fromkeys((plugin.PROFILE, plugin.ROUNDS, *repeated))
    given[name] = [value] if name in repeated else value
    with pytest.raises(pytest.UsageError, match=f"^{line}$"):
        plugin.pytest_configure(SimpleNamespace(getoption=given.get))


def test_a_refused_option_ends_in_pytest_s_own_exit_code(run_pytest: Pytest) -> None:
    done = run_pytest("--gmix-profile=fast")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert done.err.strip() == "ERROR: --gmix-profile fast: choose from quick, standard, seed"


def test_somebody_else_s_run_is_left_alone(run_pytest: Pytest, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n"
        "def test_theirs(benchmark):\n"
        "    benchmark(int)\n"
        "    ours = sorted(name for name in sys.modules if name.startswith('gmixbench'))\n"
        "    assert ours == ['gmixbench', 'gmixbench.suite', 'gmixbench.suite.plugin']\n"
    )
    quick = ("--benchmark-max-time=0.01", "--benchmark-json=theirs.json")
    done = run_pytest("test_theirs.py", *quick, "-W", "error")
    assert done.code == 0, done.out
    saved = json.loads((tmp_path / "theirs.json").read_bytes())
    assert "gmixbench" not in saved["machine_info"]
    assert saved["benchmarks"][0]["fullname"] == "test_theirs.py::test_theirs"
    without = run_pytest("-p", "no:benchmark", "-W", "error", "--co", "test_theirs.py")
    assert without.code == 0, without.out


@pytest.mark.slow
def test_a_clone_benchmarks_when_asked_and_else_does_not(run_pytest: Pytest) -> None:
    asked = run_pytest("--benchmark-only", "--collect-only", "-q", cwd=ROOT)
    collected = [line for line in asked.out.splitlines() if "::" in line]
    assert asked.code == 0, asked.out
    assert len(collected) == 24
    assert all(line.startswith("gmixbench/suite/test_") for line in collected)
    plain = run_pytest("gmixbench/suite", "-q", cwd=ROOT)
    assert plain.code == 0
    assert "24 skipped" in plain.out


@pytest.mark.slow
def test_the_density_leaves_the_process_as_it_was(
    plant: Callable[[str, str], str], run_pytest: Pytest, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "test_before.py").write_text(
        "import json, os\n\n"
        "def state():\n"
        "    names = 'OMP_NUM_THREADS', 'XLA_FLAGS', 'PYTENSOR_FLAGS', 'GMIXBENCH_CORE'\n"
        "    return sorted(os.sched_getaffinity(0)), [os.environ.get(name) for name in names]\n\n"
        "def test_state():\n"
        "    with open('state.json', 'a') as file:\n"
        "        file.write(json.dumps(state()) + '\\n')\n"
    )
    (theirs / "test_later.py").write_text("from test_before import test_state\n")
    before, later = theirs / "test_before.py", theirs / "test_later.py"
    name = plant("right", exact())
    done = run_pytest(
        *("--pyargs", before, "gmixbench.suite.test_density", later, "--benchmark-disable"),
        *("-k", f"test_state or {DENSITY}", "--gmix-backend", name),
    )
    assert done.code == 0, done.out
    assert "3 passed" in done.out
    first, second = (tmp_path / "state.json").read_text().splitlines()
    assert first == second


def test_the_lock_tells_any_change_of_what_is_installed() -> None:
    def installed(name: str, version: str, url: str | None = None) -> Any:
        return SimpleNamespace(name=name, version=version, read_text=lambda _: url)

    some = [installed("pymc", "6.4.0"), installed("numpy", "2.3.0")]
    others = [
        [installed("pymc", "6.4.1"), some[1]],
        [installed("pymc", "6.4.0", '{"vcs_info": {"commit_id": "a"}}'), some[1]],
        [installed("pymc", "6.4.0", '{"vcs_info": {"commit_id": "b"}}'), some[1]],
        some[:1],
    ]
    digests = [machine.lock(each) for each in (some, *others)]
    assert len(set(digests)) == len(digests)
    assert machine.lock(some[::-1]) == digests[0]

"""`gmixbench gate` and `gmixbench baseline accept`, on files that runs left."""

import json
from pathlib import Path

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

RIGHT = """
    import time

    import numpy as np

    from gmixbench.record import Counters, Density, Draws, Measured, Timing
    from gmixbench.truth.density import log_density

    PACKAGES = ("numpy",)
    SECONDS, SHIFT = 0.2, 0.0

    def build(job):
        return job

    def density(model, points):
        return Density(points, *log_density(model.case.model, model.x, points))

    def sample(model, job):
        settings = job.case.settings
        rng = np.random.default_rng(job.case.seed)
        start = time.perf_counter()
        time.sleep(SECONDS)
        known = np.load({draws!r})
        shape = (settings.chains, settings.draws)
        means = known[rng.integers(len(known), size=shape)] + SHIFT
        timing = Timing(compile_s=1.0, warmup_s=0.1, sample_s=time.perf_counter() - start)
        return Measured(Draws(means), timing, Counters(1000, 1000 * settings.draws))
"""
"""Draws that are right and take a known time; their posterior is solved once, and not here."""

SLOWED, BIASED = "SECONDS = 0.4", "SHIFT = 0.1"


@pytest.fixture
def measure(call, plant, tmp_path, no_report):  # noqa: ARG001 - runs leave a page
    """Measure a backend that is right, or altered by a line of code; gives the run's folder."""
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    draws = exact.draws(MODELS["ordered"], 50_000, np.random.default_rng(0))
    np.save(tmp_path / "draws.npy", draws)
    right = RIGHT.format(draws=str(tmp_path / "draws.npy"))

    def run(out, seed=0, alter=""):
        name = plant("library", right.replace("\n    def build", f"\n    {alter}\n\n    def build"))
        case = ("--model", "ordered", "--method", "nuts", "--profile", "quick", "--chains", "2")
        call("run", "--backend", name, *case, "--seed", seed, "--out", out)
        return Path(out)

    return run


@pytest.mark.slow
def test_rounds_find_a_slowed_and_a_biased_library_and_let_the_unchanged_pass(measure, call):
    for seed in range(4):
        for side, alter in {"base": "", "same": "", "slowed": SLOWED, "biased": BIASED}.items():
            measure(f"{side}/{seed}", seed, alter)
    unchanged = call("gate", "base", "same")
    assert unchanged.code == 0, unchanged.out
    assert unchanged.out.startswith("fine: ")
    slowed = call("gate", "base", "slowed", "--junit", "verdict.xml")
    assert slowed.code == 1
    assert slowed.out.startswith("regressed: ")
    assert 'name="seconds_per_gradient"><failure' in Path("verdict.xml").read_text()
    faster = call("gate", "slowed", "base")
    assert faster.code == 0
    assert "improved" in faster.out
    biased = call("gate", "base", "biased")
    assert biased.code == 3
    assert "4 of 4 runs: bias: " in biased.out
    assert call("gate", "base/0", "biased/0").code == 3
    # As chance has it once in a thousand runs.
    Path("same/3").rename("away")
    Path("biased/3").rename("same/3")
    once = call("gate", "base", "same")
    assert once.code == 0, once.out
    assert "left out of NEW, 1 of 4 runs: bias: " in once.out


def scores(path, seconds=1.0, machine="a machine", seeds=(0,), **changes):
    """A run's scores.json, written by hand; gives its path as text."""
    rows = [
        {
            "dataset": "close",
            "model": "ordered",
            "mixture": {"sigma": 1.0, "prior_mean": 0.0, "prior_scale": 10.0},
            "backend": "pymc",
            "method": "nuts",
            "settings": {"draws": 1000},
            "stack": "here",
            "seed": seed,
            "valid": True,
            "reasons": [],
            "metrics": {"seconds_per_gradient": seconds, "rhat_relabelled": 1.001},
            **changes,
        }
        for seed in seeds
    ]
    environment = {"cpu": "a processor", "machine_id": machine}
    data = {"schema": 1, "environment": environment, "scores": rows, "failures": []}
    Path(path).write_text(json.dumps(data))
    return path


def test_exit_codes(call, tmp_path):
    base = scores(tmp_path / "base.json")
    slow = scores(tmp_path / "slow.json", seconds=3.0)
    slight = scores(tmp_path / "slight.json", seconds=1.1)
    invalid = scores(tmp_path / "invalid.json", valid=False, reasons=["bias: 9 MCSE off"])
    faster = scores(tmp_path / "faster.json", seconds=0.3)
    away = scores(tmp_path / "away.json", seconds=3.0, machine="another")
    assert call("gate", base, slow).code == 1
    assert call("gate", base, faster).code == 0
    assert call("gate", base, invalid).code == 3
    assert call("gate", base, slight).code == 4
    across = call("gate", base, away)
    assert across.code == 0
    assert "1 timings are no evidence" in across.out
    first = across.out.splitlines()[0]
    assert "as far as it can be judged: 1 timings are no evidence (see below)" in first
    assert call("gate", base, away, "--across-machines").code == 1
    assert call("gate", base, slight, "--band", "30%").code == 0


def test_what_is_asked_for_is_written(call, tmp_path):
    base, new = scores(tmp_path / "base.json"), scores(tmp_path / "new.json", seconds=3.0)
    call("gate", base, new, "--markdown", "a.md", "--junit", "a.xml", "--charts", "charts")
    assert Path("a.md").read_text().startswith("## gmixbench: regressed")
    assert "<failure" in Path("a.xml").read_text()
    names = sorted(path.name for path in Path("charts").iterdir())
    assert names == ["customBiggerIsBetter.json", "customSmallerIsBetter.json"]


def test_a_job_summary_is_added_to_unless_a_file_is_named(call, tmp_path, monkeypatch):
    base = scores(tmp_path / "base.json")
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    call("gate", base, base)
    assert summary.read_text().startswith("before\n## gmixbench: ")
    length = len(summary.read_text())
    call("gate", base, base, "--markdown", "elsewhere.md")
    assert len(summary.read_text()) == length


def test_a_baseline_is_accepted_with_a_reason_and_judges_what_comes(call, tmp_path):
    base, slow = scores(tmp_path / "base.json"), scores(tmp_path / "slow.json", seconds=3.0)
    to = tmp_path / "kept" / "baseline.json"
    assert call("baseline", "accept", base, "--to", to, "--reason", "first").code == 0
    assert call("gate", to, slow).code == 1
    said = call("baseline", "accept", slow, "--to", to, "--reason", "safer steps cost time")
    assert said.code == 0
    assert call("gate", to, slow).code != 1
    told = json.loads(to.read_text())
    assert told["reason"] == "safer steps cost time"
    assert told["replaced"]["reason"] == "first"


def test_an_invalid_run_is_no_baseline(call, tmp_path):
    invalid = scores(tmp_path / "invalid.json", valid=False, reasons=["bias: 9 MCSE off"])
    said = call("baseline", "accept", invalid, "--to", "baseline.json", "--reason", "hurry")
    assert said.code == 3
    assert "bias: 9 MCSE off" in said.err
    assert not Path("baseline.json").exists()


def test_nothing_is_no_baseline(call, tmp_path):
    empty = scores(tmp_path / "empty.json", seeds=())
    assert call("baseline", "accept", empty, "--to", "a.json", "--reason", "hurry").code == 3
    assert not Path("a.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gate", "{base}", "nowhere.json"), "nowhere.json"),
        (("gate", "{base}", "{text}"), "is no JSON"),
        (("gate", "{base}", "{pytest}"), "is of gmixbench and"),
        (("gate", "{base}", "{base}", "--band", "five"), "--band five"),
        (("gate", "{base}", "{base}", "--band", "0"), "--band 0"),
        (("gate", "{base}", "{base}", "--band", "500%"), "--band 500%"),
        (("gate", "{base}", "{base}", "--band", "5%%"), "--band 5%%"),
        (("gate", "{base}", "{base}", "--band", "nan"), "--band nan"),
        (("gate", "{base}", "{base}", "--junit", "{base}/a.xml"), "base.json"),
        (("baseline", "accept", "{base}", "--to", "a.json", "--reason", " "), "--reason is empty"),
        (("baseline", "accept", "{text}", "--to", "a.json", "--reason", "x"), "is no JSON"),
        (("baseline", "accept", "{base}", "--to", "{text}", "--reason", "x"), "no baseline"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(call, tmp_path, arguments, words):
    places = {
        "base": scores(tmp_path / "base.json"),
        "text": tmp_path / "text.json",
        "pytest": tmp_path / "pytest.json",
    }
    places["text"].write_text("no")
    data = json.loads(places["base"].read_text())["scores"][0]
    told = {"schema": 1, "case": data, "rounds": [data], "timed": "x"}
    benchmark = {"extra_info": {"gmixbench": told}, "stats": {"median": 1.0}}
    places["pytest"].write_text(json.dumps({"machine_info": {}, "benchmarks": [benchmark]}))
    said = call(*(argument.format(**places) for argument in arguments))
    assert said.code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("no_report")
def test_data_of_ones_own_under_one_name_are_told_apart(plant, tmp_path, call):
    rng = np.random.default_rng(1)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        np.savetxt(tmp_path / name / "h.csv", rng.normal(size=100), fmt="%.17g")
    case = ("--backend", plant("plain"), "--model", "ordered", "--method", "nuts", "--chains", "2")
    for name in ("one", "other"):
        data = tmp_path / name / "h.csv"
        said = call("run", *case, "--profile", "quick", "--data", data, "--out", f"run-{name}")
        assert Path(f"run-{name}/scores.json").exists(), said.err
    same, different = call("gate", "run-one", "run-one"), call("gate", "run-one", "run-other")
    assert "is of other settings" not in same.out
    assert different.code == 3
    assert "is of other settings" in different.out

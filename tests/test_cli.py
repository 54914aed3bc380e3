"""The command line: what it says, the exit code it gives, and what it leaves."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import gmixbench
from gmixbench.cli import exits, main, options, run, show
from gmixbench.lab import claim, datasets, store
from gmixbench.lab.results import Results
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import DATASETS, LIKELIHOODS, METHODS, MODELS, PROFILES

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(gmixbench.__file__).parents[1])}
PATIENCE = 120.0

CASE_KEYS = {
    *("dataset", "model", "mixture", "backend", "method", "likelihood", "settings", "stack", "seed")
}
FAILURE_KEYS = {*CASE_KEYS, "kind", "message"}
SCORE_KEYS = {
    *CASE_KEYS,
    *("valid", "labels", "converged", "reasons", "metrics"),
    *("occupancy_by_chain", "environment", "shims"),
}


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Folder of a run that is finished, and what the command said."""
    folder = tmp_path_factory.mktemp("finished")
    arguments = ["--backend", "exact", "--profile", "quick", "--model", "ordered"]
    arguments += ["--method", "nuts", "--method", "advi-matched", "--out", "out"]
    said = subprocess.run(
        [sys.executable, "-m", "gmixbench.cli", "run", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return SimpleNamespace(folder=folder / "out", arguments=arguments, said=said)


@pytest.fixture
def copy(finished, tmp_path):
    """Copy of the finished run that a test may damage."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    return tmp_path / "copy"


def scores_of(folder):
    return json.loads((folder / "scores.json").read_text())


def one_line(text):
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1, text
    return text


# -- what answers at once


@pytest.mark.parametrize("option", ["--help", "--version", "list"])
def test_what_only_informs_loads_nothing_slow(option):
    code = f"""
import sys
from gmixbench.cli import main
sys.argv = ["gmixbench", {option!r}]
try:
    main()
finally:
    print(sorted(sys.modules), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    loaded = {name.split(".")[0] for name in eval(done.stderr.splitlines()[-1])}  # noqa: S307  # our own list
    slow = {"arviz", "arviz_base", "arviz_stats", "matplotlib", "numpy", "pandas", "scipy"}
    assert not loaded & (slow | {"xarray", "jax", "jaxlib", "numba", "numpyro", "pymc", "pytensor"})


def test_version(call):
    said = call("--version")
    assert (said.code, said.out) == (0, f"gmixbench {gmixbench.__version__}\n")


def test_help_names_every_command(call):
    said = call("--help")
    assert said.code == 0
    for command in ("run", "exact", "report", "score", "list"):
        assert f" {command} " in said.out
    assert "--fresh" in call("run", "--help").out


@pytest.mark.parametrize("command", ["compare", "noise", "bisect"])
def test_help_of_what_takes_long_says_how_long(command, call):
    told = " ".join(call(command, "--help").out.split())
    assert "budget" in told[: told.index("──")]


def test_no_arguments_show_the_help(call):
    said = call()
    assert said.code == 2
    assert "Usage" in said.out + said.err


def test_list_names_every_choice_and_defines_every_metric(call, monkeypatch):
    monkeypatch.setattr(options.console, "width", 400)
    said = call("list")
    assert said.code == 0
    for name in (*PROFILES, *DATASETS, *MODELS, *METHODS, *LIKELIHOODS, "pymc", "numpyro", "exact"):
        assert name in said.out
    for metric in METRICS.values():
        assert metric.name in said.out
        assert metric.definition in said.out


# -- bad input

BAD_OPTIONS = {
    "negative sigma": ("--sigma -1", "--sigma -1: a positive number is wanted"),
    "zero sigma": ("--sigma 0", "--sigma 0: a positive number"),
    "sigma NaN": ("--sigma nan", "--sigma nan: a positive number"),
    "infinite sigma": ("--sigma inf", "--sigma inf: a positive number"),
    "negative prior scale": ("--prior-scale -1", "--prior-scale -1: a positive number"),
    "zero prior scale": ("--prior-scale 0", "--prior-scale 0: a positive number"),
    "unknown dataset": ("--dataset mine", "unknown dataset 'mine': choose from overlapping"),
    "data twice": ("--dataset close --data x.csv", "give --dataset or --data, not both"),
    "no data": ("--data none.csv", "none.csv: No such file or directory; give a CSV"),
    "a folder as data": ("--data .", ".: Is a directory; give a CSV"),
}

BAD_RUN_OPTIONS = {
    "unknown model": ("--model both", "unknown model 'both': choose from unordered, ordered"),
    "unknown backend": (
        "--backend stan",
        "unknown backend 'stan': choose from pymc, pymc-c, pymc-numba, pymc-jax",
    ),
    "unknown method": ("--method hmc", "unknown method 'hmc': choose from nuts, advi-matched"),
    "unknown likelihood": (
        "--likelihood exact",
        "unknown likelihood 'exact': choose from mixture, logsumexp, enumerated, discrete",
    ),
    "no such method there": (
        "--backend nutpie --method laplace",
        "nutpie has no laplace: choose from pymc, pymc-c, pymc-numba, pymc-jax, numpyro",
    ),
    "a method that none has": (
        "--method pathfinder --method nuts --backend numpyro",
        "no pathfinder in numpyro: choose from pymc, pymc-c, pymc-numba, pymc-jax, pymc-blackjax",
    ),
    "no such likelihood there": (
        "--method nuts --backend blackjax --likelihood enumerated",
        "blackjax has no enumerated: choose from pymc, pymc-c, pymc-numba, pymc-jax, pymc-nutpie",
    ),
    "a likelihood that none has": (
        "--method nuts --likelihood discrete --likelihood mixture --backend nutpie",
        "no discrete in nutpie: choose from pymc, pymc-c, pymc-numba, pymc-jax, numpyro",
    ),
    "a fit of sampled labels": (
        "--likelihood discrete --method advi-matched",
        "--method advi-matched --likelihood discrete: no normal fits sampled labels: give --method",
    ),
    "unknown profile": ("--profile slow", "unknown profile 'slow': choose from quick, standard"),
    "unknown starts": ("--starts here", "unknown starts 'here': choose from dispersed, one-mode"),
    "zero time-out": ("--timeout 0", "--timeout 0: a positive number is wanted"),
    "time-out NaN": ("--timeout nan", "--timeout nan: a positive number is wanted"),
}


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
@pytest.mark.parametrize("command", ["run", "exact"])
def test_a_bad_option_is_told_in_one_line(command, options, words, call, tmp_path):
    said = call(command, *options.split())
    assert said.code == exits.WRONG_USE
    assert one_line(said.err).startswith(f"gmixbench: {words}")
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("options", "words"), BAD_RUN_OPTIONS.values(), ids=BAD_RUN_OPTIONS.keys())
def test_a_bad_option_of_run_is_told_in_one_line(options, words, call, tmp_path):
    said = call("run", *options.split())
    assert said.code == exits.WRONG_USE
    assert one_line(said.err).startswith(f"gmixbench: {words}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run --sigma wide", "--sigma"),
        ("run --chains 0", "--chains"),
        ("run --seed -1", "--seed"),
        ("run --no-such-option", "--no-such-option"),
        ("measure", "measure"),
        ("score", "DIR"),
        ("report a b", "b"),
    ],
)
def test_usage_errors_are_readable(arguments, words, call, tmp_path):
    said = call(*arguments.split())
    assert said.code == exits.WRONG_USE
    assert words in said.err
    assert "Try 'gmixbench" in said.err
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) < 10
    assert list(tmp_path.iterdir()) == []


def test_a_bad_file_is_told_with_its_line(call, tmp_path):
    (tmp_path / "bad.csv").write_text("1\n2\nabc\n")
    said = call("run", "--data", "bad.csv")
    assert said.code == exits.WRONG_USE
    assert one_line(said.err) == (
        "gmixbench: bad.csv, line 3: 'abc' is not a number; one number a line is wanted\n"
    )


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        ("1e308 -1e308", "", "the data span inf sigma"),
        ("1 2 3e9", "", "the data span 3e+09 sigma"),
        ("1 2 3", "--sigma 1e-300", "sigma and the prior's scale must lie between"),
        ("1 2 3", "--prior-scale 1e300", "sigma and the prior's scale must lie between"),
        ("1 2 3", "--prior-scale 1e-9", "the data lie 3e+09 scales off the prior"),
    ],
)
def test_a_posterior_out_of_reach_is_told(x, options, words, call, tmp_path):
    (tmp_path / "far.csv").write_text(x.replace(" ", "\n"))
    said = call("exact", "--data", "far.csv", *options.split())
    assert said.code == exits.NOT_MEASURED
    assert one_line(said.err).startswith(f"gmixbench: {words}")


@pytest.mark.parametrize("command", [["run", "--out"], ["exact", "--json"]])
def test_a_place_that_can_t_be_written_is_named(command, call, tmp_path):
    (tmp_path / "file").write_text("mine")
    said = call(*command, "file/below")
    assert said.code == exits.WRONG_USE
    assert one_line(said.err).startswith("gmixbench: file")
    assert "ot a directory" in said.err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", ["score", "report"])
@pytest.mark.parametrize("folder", ["none", "empty"])
def test_a_folder_without_a_run_is_told(command, folder, call, tmp_path):
    (tmp_path / "empty").mkdir()
    said = call(command, folder)
    assert said.code == exits.WRONG_USE
    assert one_line(said.err).startswith(f"gmixbench: {folder} holds no run")
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        ("score", ".npz"),
        ("run", ".json"),
        *(
            pytest.param(*given, marks=pytest.mark.slow)
            for given in (
                ("score", ".json"),
                ("report", ".npz"),
                ("report", ".json"),
                ("run", ".npz"),
            )
        ),
    ],
)
def test_a_truncated_record_is_named_and_the_rest_judged(command, suffix, copy, finished, call):
    path = next((copy / "runs").glob(f"*nuts*{suffix}"))
    path.write_bytes(path.read_bytes()[:100])
    again = [*finished.arguments[:-1], copy] if command == "run" else [copy]
    said = call(command, *again)
    assert said.code == (0 if command == "report" else exits.NOT_MEASURED)
    if command != "score":
        assert str(path) in (copy / "report.html").read_text()
    told = f"close ordered exact nuts seed 0: failed (damaged): {path} is damaged: "
    (line,) = (each for each in said.out.splitlines() if each.startswith(told))
    assert "removed is measured again" in line
    scores = scores_of(copy)
    assert [each["kind"] for each in scores["failures"]] == ["damaged"]
    assert [each["method"] for each in scores["scores"]] == ["advi-matched"]


@pytest.mark.parametrize("name", ["plan.json", "data/close.npy"])
@pytest.mark.parametrize("command", ["score", "report"])
def test_a_damaged_folder_is_told(command, name, copy, call):
    (copy / name).write_text("{")
    said = call(command, copy)
    assert said.code == exits.NOT_MEASURED
    assert one_line(said.err).startswith(f"gmixbench: {copy / name} is damaged: ")


def test_an_error_of_ours_shows_where_it_is_and_does_not_read_as_worse(monkeypatch, capsys):
    monkeypatch.setattr(show, "mixture_of", lambda *_: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["gmixbench", "exact"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == exits.OUR_FAULT == 70
    assert capsys.readouterr().err.endswith("ZeroDivisionError: division by zero\n")


# -- run


def test_a_sound_run(finished):
    said = finished.said
    assert said.returncode == 0, said.stderr
    assert "close ordered exact nuts seed 0: done" in said.stdout
    assert "report: out/report.html" in said.stdout
    left = {path.name for path in finished.folder.iterdir() if not path.name.startswith(".")}
    assert left == {"plan.json", "data", "runs", "scores.json", "report.html", "figures"}
    assert {path.suffix for path in (finished.folder / "runs").iterdir()} == {".npz", ".json"}
    assert {path.suffix for path in (finished.folder / "figures").iterdir()} == {".png"}


def test_scores_are_as_the_readme_says(finished):
    content = scores_of(finished.folder)
    assert list(content) == ["schema", "environment", "data_sha256", "scores", "failures"]
    assert content["schema"] == 1
    assert content["environment"]["python"].startswith("3.")
    assert content["failures"] == []
    nuts, advi = content["scores"]
    for score in (nuts, advi):
        assert set(score) == SCORE_KEYS
        assert list(score["metrics"]) == list(METRICS)
        assert score["valid"] is True
        assert score["reasons"] == []
        assert (score["dataset"], score["model"], score["backend"]) == ("close", "ordered", "exact")
        assert (score["stack"], score["seed"], score["labels"]) == ("here", 0, None)
    assert nuts["settings"] == {
        "chains": 4,
        "warmup": 1000,
        "draws": 1000,
        "target_accept": 0.95,
        "max_treedepth": 10,
        "starts": "dispersed",
    }
    assert nuts["metrics"]["ess_per_second"] > 0
    assert nuts["metrics"]["gap"] is None
    assert advi["metrics"]["gap"] == pytest.approx(0, abs=1e-9)
    assert advi["metrics"]["rhat"] is None


@pytest.mark.usefixtures("no_report")
def test_a_second_call_repeats_nothing(finished, copy, call, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in (copy / "runs").iterdir()}
    monkeypatch.setattr(subprocess, "Popen", None)
    said = call("run", *finished.arguments[:-1], copy)
    assert said.code == 0
    assert f"2 of 2 cases are in {copy} already" in said.out
    assert {path: path.stat().st_mtime_ns for path in (copy / "runs").iterdir()} == before


@pytest.mark.parametrize("command", ["score", "report"])
def test_scoring_and_drawing_need_no_sampling(command, copy, call, monkeypatch):
    before = (copy / "scores.json").read_bytes()
    for name in ("scores.json", "report.html"):
        (copy / name).unlink()
    shutil.rmtree(copy / "figures")
    monkeypatch.setattr(subprocess, "Popen", None)
    said = call(command, copy)
    assert said.code == 0
    assert (copy / "scores.json").read_bytes() == before
    assert (copy / "report.html").exists() == (copy / "figures").exists() == (command == "report")


@pytest.mark.usefixtures("no_report")
def test_a_biased_backend_shows_no_speed(plant, call):
    source = """
    from gmixbench.truth import oracle
    from gmixbench.truth.oracle import PACKAGES, build, density, fit_advi

    def sample(model, job):
        measured = oracle.sample(model, job)
        return measured._replace(result=Draws(measured.result.means + 0.1))
    """
    backend = plant("biased", source)
    said = call(
        *("run", "--profile", "quick", "--out", "out", "--method", "nuts", "--model", "ordered"),
        *("--backend", backend, "--backend", "exact"),
    )
    assert said.code == exits.NOT_MEASURED
    assert said.err == ""
    biased, sound = scores_of(Path("out"))["scores"]
    assert (biased["backend"], biased["valid"]) == (backend, False)
    assert any(reason.startswith("bias: mean of the ") for reason in biased["reasons"])
    assert biased["reasons"][0] in said.out
    assert sound["valid"] is True
    assert set(biased["metrics"]) == set(METRICS)
    for metric in METRICS.values():
        if metric.speed:
            assert biased["metrics"][metric.name] is None
    assert biased["metrics"]["ess_bulk"] > 0
    assert sound["metrics"]["draws_per_second"] > 0
    row = next(line for line in said.out.splitlines() if backend in line and "NO" in line)
    assert "–" in row


@pytest.mark.usefixtures("no_report")
def test_failures_are_told_and_the_rest_goes_on(plant, call):
    raises = plant(
        "raises", "def sample(model, job):\n    raise ValueError('[bold] no such thing')"
    )
    options = ("--profile", "quick", "--method", "nuts", "--model", "ordered", "--out", "out")
    said = call("run", *options, "--backend", raises, "--backend", plant("quick"))
    assert said.code == exits.NOT_MEASURED
    assert said.err == ""
    message = "ValueError: [bold] no such thing"
    assert f"failed (exception): {message}" in said.out
    content = scores_of(Path("out"))
    (failure,) = content["failures"]
    assert set(failure) == FAILURE_KEYS
    assert (failure["backend"], failure["kind"], failure["message"]) == (
        raises,
        "exception",
        message,
    )
    assert [score["backend"] for score in content["scores"]] == ["planted.quick"]
    assert call("score", "out").code == exits.NOT_MEASURED
    assert call("report", "out").code == 0


@pytest.mark.usefixtures("no_report")
def test_a_ranking_of_failures_says_what_failed(quick, call):
    call(*quick[:-1], "no.such.module", "--out", "out")
    said = call("ranking", "out")
    assert said.code == exits.NOT_MEASURED
    assert "no.such.module has no rank: missing: No module named 'no'" in said.out


@pytest.mark.usefixtures("no_report")
def test_a_module_that_is_not_there_is_a_failure(call):
    options = ("--profile", "quick", "--method", "nuts", "--model", "ordered", "--out", "out")
    said = call("run", *options, "--backend", "no.such")
    assert said.code == exits.NOT_MEASURED
    assert "failed (missing): No module named 'no'" in said.out


def judged(*, valid, model="ordered", method="nuts"):
    case = SimpleNamespace(model=MODELS[model], method=method)
    return SimpleNamespace(
        run=SimpleNamespace(case=case), verdict=SimpleNamespace(valid=valid, labels=None)
    )


@pytest.mark.parametrize(
    ("invalid", "code"),
    [
        ({}, 3),
        ({"method": "advi-library"}, 3),
        ({"method": "advi-matched"}, 3),
        ({"model": "unordered", "method": "advi-matched"}, 3),
        ({"model": "unordered"}, 0),
        ({"model": "unordered", "method": "advi-library"}, 0),
    ],
)
def test_the_exit_code_rests_on_ordered_and_on_matched(invalid, code):
    both = (judged(valid=True), judged(valid=False, **invalid))
    assert run._exit_code(Results(both, (), (), {}, {})) == code


def test_the_exit_code_is_3_where_something_was_not_measured():
    good = (judged(valid=True),)
    assert run._exit_code(Results(good, (), (), {}, {})) == 0
    assert run._exit_code(Results(good, ("failure",), (), {}, {})) == 3
    assert run._exit_code(Results(good, (), ("case",), {}, {})) == 3
    assert run._exit_code(Results((), (), (), {}, {})) == 3


# -- the folder


@pytest.fixture
def quick(plant):
    """Options of a run that is over at once."""
    options = ("--profile", "quick", "--method", "nuts", "--model", "ordered")
    return ("run", *options, "--dataset", "separated", "--backend", plant("quick"))


@pytest.mark.usefixtures("no_report")
def test_cases_are_added_to_a_folder(quick, call):
    call(*quick, "--out", "out")
    said = call(*quick, "--out", "out", "--model", "unordered")
    assert "1 of 2 cases are in out already" in said.out
    models = [score["model"] for score in scores_of(Path("out"))["scores"]]
    assert models == ["ordered", "unordered"]


@pytest.mark.usefixtures("no_report")
def test_fresh_starts_over(quick, call):
    call(*quick, "--out", "out")
    before = {path: path.stat().st_mtime_ns for path in Path("out/runs").iterdir()}
    said = call(*quick, "--out", "out", "--fresh")
    assert "already" not in said.out
    after = {path: path.stat().st_mtime_ns for path in Path("out/runs").iterdir()}
    assert after.keys() == before.keys()
    assert all(after[path] > before[path] for path in before)


@pytest.mark.parametrize(
    "options", ["", "--data close.csv", "--sigma 2", "--prior-scale 5"], ids=lambda text: text[:6]
)
def test_what_does_not_belong_together_is_told(options, finished, copy, call, tmp_path):
    (tmp_path / "close.csv").write_text("1\n2\n3\n")
    if not options:
        plan = json.loads((copy / "plan.json").read_text())
        plan["environment"]["numpy"] = "1.0"
        (copy / "plan.json").write_text(json.dumps(plan))
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    said = call("run", *finished.arguments[:-1], copy, *options.split())
    assert said.code == exits.WRONG_USE
    assert one_line(said.err).endswith("give another --out, or --fresh to start over\n")
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


class Clock(datetime):
    """A clock that is a minute later each time it is read."""

    ticks = 0

    @classmethod
    def now(cls):
        cls.ticks += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=cls.ticks)


@pytest.mark.usefixtures("no_report")
def test_without_out_an_unfinished_run_goes_on_and_a_finished_one_is_left(quick, call, monkeypatch):
    monkeypatch.setattr(run, "datetime", Clock)
    call(*quick)
    (first,) = Path("results").iterdir()
    assert first.name.endswith("-quick")
    next(first.glob("runs/*.json")).unlink()
    call(*quick)
    assert list(Path("results").iterdir()) == [first]
    assert store.pending(first, store.plan_of(first).cases) == []
    call(*quick)
    first, second = sorted(Path("results").iterdir())
    next(second.glob("runs/*.json")).unlink()
    call(*quick, "--fresh")
    assert len(list(Path("results").iterdir())) == 3


def test_an_unfinished_run_is_not_taken_for_a_whole_one(copy, call):
    next((copy / "runs").glob("*advi*.json")).unlink()
    said = call("score", copy)
    assert said.code == exits.NOT_MEASURED
    assert f"1 planned case has no record: the same `gmixbench run` with --out {copy}" in said.out


def test_two_runs_do_not_meet_in_one_folder(quick, call, tmp_path):
    with claim.locked(tmp_path / "out", claim.RUN):
        said = call(*quick, "--out", "out")
    assert said.code == exits.WRONG_USE
    assert one_line(said.err) == "gmixbench: another run is at work in out: give another --out\n"


def test_someone_else_s_folder_is_left_alone(quick, call):
    Path("theirs/data").mkdir(parents=True)
    for option in ("--resume", "--fresh"):
        said = call(*quick, option, "--out", "theirs")
        assert said.code == exits.WRONG_USE
        assert one_line(said.err) == (
            "gmixbench: theirs holds 'data', which `run` or `scale` did not leave: "
            "give another --out\n"
        )
    assert [path.name for path in Path("theirs").iterdir()] == ["data"]


@pytest.mark.usefixtures("no_report")
def test_a_full_disk_is_told_and_the_run_goes_on_when_it_has_room(quick, call):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        said = call(*quick, "--out", "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert said.code == exits.WRONG_USE
    assert "File too large" in one_line(said.err)
    assert "out/runs" in said.err
    assert list(Path("out/runs").iterdir()) == []
    call(*quick, "--out", "out")
    assert len(scores_of(Path("out"))["scores"]) == 1


# -- exact


def test_exact_prints_and_writes_the_posterior(call):
    said = call("exact", "--dataset", "overlapping", "--json", "exact.json")
    assert said.code == 0
    assert "exact posterior: overlapping, 100 observations" in said.out
    figures = json.loads(Path("exact.json").read_text())
    assert set(figures) == {"unordered", "ordered"}
    wanted = {"log_evidence", "error", "mean", "sd", "quantiles", "valley", "best_mean_field_loss"}
    for listed in figures.values():
        assert wanted <= listed.keys()
        assert listed["error"]["log_evidence"] < 1e-8
    difference = figures["unordered"]["log_evidence"] - figures["ordered"]["log_evidence"]
    assert difference == pytest.approx(np.log(2), abs=1e-12)
    assert f"{figures['ordered']['mean'][0]:.9f}" in said.out


def test_exact_takes_one_s_own_data_and_model(call, tmp_path):
    x = datasets.load("close").x
    (tmp_path / "scaled.csv").write_text("\n".join(map(repr, (7 * x).tolist())))
    scaled = ["--data", "scaled.csv", "--sigma", 7, "--prior-scale", 70]
    assert call("exact", *scaled, "--json", "scaled.json").code == 0
    assert call("exact", "--json", "plain.json").code == 0
    one, seven = (json.loads(Path(f"{name}.json").read_text()) for name in ("plain", "scaled"))
    np.testing.assert_allclose(
        seven["ordered"]["mean"], 7 * np.array(one["ordered"]["mean"]), rtol=1e-9
    )


# -- large data


@pytest.mark.slow
def test_a_million_observations_run(call, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(rng.choice([-1.0, 1.0], 1_000_000), 1.0)
    (tmp_path / "million.csv").write_text("\n".join(map(repr, x.tolist())))
    begun = time.monotonic()
    loaded = datasets.read(tmp_path / "million.csv").x
    assert time.monotonic() - begun < 5
    np.testing.assert_array_equal(loaded, x)
    options = ("--profile", "quick", "--method", "nuts", "--method", "advi-matched")
    said = call("run", *options, "--backend", "exact", "--data", "million.csv", "--out", "out")
    assert said.code == 0, said.out + said.err
    assert all(score["valid"] for score in scores_of(Path("out"))["scores"])

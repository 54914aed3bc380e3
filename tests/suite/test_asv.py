"""The asv benchmarks in somebody else's suite, through asv's own commands."""

import json
import math
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from asv.util import load_json

import gmixbench
from gmixbench.disk import write_bytes
from gmixbench.ruler.lower import LOWER
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import MODELS
from gmixbench.suite import asv, asv_plan
from gmixbench.suite.asv_plan import METHODS, NEVER_SIGNIFICANT, Fitted

ROOT = Path(gmixbench.__file__).parents[1]

THEIRS = """
    from gmixbench.suite.asv import Advi, Nuts

    def track_of_their_own():
        return 1.0
"""
"""A file of somebody else's asv suite."""

COUNTED = """
    from pathlib import Path

    from gmixbench.truth.oracle import PACKAGES, build, density, fit_advi as best, sample as draw

    def note(job):
        with Path({notes!r}).open("a") as file:
            file.write(f"{{job.case.model.name}} {{job.case.method}} {{job.case.seed}}\\n")

    def sample(model, job):
        note(job)
        return draw(model, job)

    def fit_advi(model, job):
        note(job)
        return best(model, job)
"""
"""A right backend that notes each of its fits."""

BIASED = """
    from dataclasses import replace

    from gmixbench.truth.oracle import PACKAGES, build, density, fit_advi, sample as draw

    def sample(model, job):
        measured = draw(model, job)
        return measured._replace(result=replace(measured.result, means=measured.result.means + 0.1))
"""

REAL = """
    import time
    from dataclasses import replace

    from gmixbench.measured.backends import load

    def build(job):
        if job.case.method != "nuts" or not job.case.model.ordered:
            raise NotImplementedError("one case is enough")
        return load("numpyro").build(job)

    def density(model, points):
        return load("numpyro").density(model, points)

    def sample(model, job):
        measured = load("numpyro").sample(model, job)
        seconds = measured.timing.sample_s
        time.sleep({times} * seconds)
        return measured._replace(timing=replace(measured.timing, sample_s=seconds * (1 + {times})))
"""
"""NumPyro's backend, whose sampling takes so many times longer, for one case."""


@pytest.mark.slow
def test_in_a_suite_of_somebody_else(suite, plant, tmp_path, monkeypatch):
    notes = tmp_path / "notes"
    stacks = suite.folder / "stacks"
    stacks.mkdir()
    monkeypatch.setenv("GMIXBENCH_STACKS", str(stacks))  # `existing` tells of no ASV_CONF_DIR
    shutil.copy(ROOT / "benchmarks" / "stacks" / "numpyro-v0.22.0.txt", stacks)
    names = (
        f"here-{plant('counted', COUNTED.format(notes=str(notes)))}",
        f"here-{plant('biased', BIASED)}",
        "numpyro-v0.22.0",
        "numpyro-v0.22.1",
    )
    monkeypatch.setenv(asv_plan.STACKS_VARIABLE, ", ".join(names))
    commit = suite.write(THEIRS)

    said = suite.run(commit, code=2)  # some failed

    results = suite.results(commit)
    assert set(results) == {
        "mixtures.track_of_their_own",
        *(f"mixtures.Nuts.{name}" for name in dir(asv.Nuts) if name.startswith("track_")),
        *(f"mixtures.Advi.{name}" for name in dir(asv.Advi) if name.startswith("track_")),
    }
    # Each fit once, however many benchmarks of both classes read it.
    assert sorted(notes.read_text().splitlines()) == sorted(
        f"{model} {method} 1" for model in MODELS for method in METHODS
    )
    for name, values in results.items():
        if "Advi" in name or "Nuts" in name:
            right, biased, absent, unknown = values[:2], values[2:4], values[4:6], values[6:]
            assert None not in right, name
            assert (biased == (None, None)) == ("Nuts" in name), name
            assert all(map(math.isnan, absent)), name
            assert unknown == (None, None), name
    speed = results["mixtures.Nuts.track_seconds_per_draw"][:2]
    assert all(0 < each < 1e-3 for each in speed)
    assert results["mixtures.Advi.track_gap"][:2] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert min(results["mixtures.Advi.track_gap"][:2]) >= 0.0
    assert results["mixtures.Advi.track_kl"][0] > math.log(2)
    assert math.isnan(results["mixtures.Nuts.track_occupancy_error"][1])  # `ordered` has none
    assert math.isnan(results["mixtures.Nuts.track_seconds_per_gradient"][0])  # not told
    assert re.search(r"NoResultError: seed 1: invalid: bias: mean of the \w+ mean is", said)
    assert "there is no stack numpyro-v0.22.1: did you mean numpyro-v0.22.0?" in said


def marks(said: str, names: Collection[str] = ()) -> set[str]:
    """What `asv compare` puts before each benchmark: + worse, - better, ! failed, nothing."""
    rows = re.findall(r"^\| (\S*) +\|.*\| mixtures\.(?:Advi|Nuts)", said, re.MULTILINE)
    assert len(rows) == len(MODELS) * len(names or benchmarks()), said
    return set(rows)


def benchmarks() -> dict[str, Callable]:
    """Benchmarks of both classes, by class and name."""
    return {
        f"{kind.__name__}.{name}": track
        for kind in (asv.Nuts, asv.Advi)
        for name, track in vars(kind).items()
        if name.startswith("track_")
    }


@pytest.mark.slow
def test_each_metric_flipped_both_ways_and_a_refused_fit(suite, made, call):
    before, worse, better = made(1.0), made(1.5), made(1 / 1.5)
    same = made(1.0, arguments=("--quick",))  # it leaves nothing out: each benchmark runs once
    refused = made(code=2)
    assert marks(suite.command("compare", before, worse)) == {"+"}
    assert marks(suite.command("compare", before, better)) == {"-"}
    assert marks(suite.command("compare", before, same)) == {""}
    assert marks(suite.command("compare", before, refused)) == {"!"}
    assert marks(suite.command("compare", refused, before)) == {"*"}
    # Of one fit a side the gate can't tell that speed is the same: 4, and never 1.
    for new, code in ((worse, 1), (better, 4), (same, 4), (refused, 3)):
        said = call("gate", suite.path(before), suite.path(new))
        assert said.code == code, said.out


@pytest.mark.slow
def test_files_of_several_runs_tell_the_gate_more(suite, made, call):
    """As benchmarks/asv/README.md has it: each is copied away before the next run."""
    for side, factor in {"base": 1.0, "same": 1.0, "worse": 1.5}.items():
        folder = suite.folder / "kept" / side
        folder.mkdir(parents=True)
        commit = made(factor)
        for run in ("1", "2", "3"):
            shutil.copy(suite.path(commit), folder / f"{run}.json")
            suite.run(commit)
    kept = suite.folder / "kept"
    for side, code in {"same": 0, "worse": 1}.items():
        said = call("gate", kept / "base", kept / side)
        assert said.code == code, said.out


@pytest.mark.slow
@pytest.mark.parametrize("fits", [2, NEVER_SIGNIFICANT, NEVER_SIGNIFICANT + 1])
def test_lists_of_samples(suite, made, fits):
    """A doubling is found with every number of fits but the one that we refuse."""
    spread = [1 + 0.01 * k for k in range(fits)]
    before = made(*spread, arguments=("--record-samples",))
    after = made(*(2 * each for each in spread), arguments=("--record-samples",))
    found = "" if fits == NEVER_SIGNIFICANT else "+"
    assert marks(suite.command("compare", before, after)) == {found}


@pytest.mark.slow
def test_the_same_fits_are_not_counted_twice(suite, made):
    alone = made(1.0, arguments=("-a", "rounds=1"))
    assert None not in suite.results(alone).values()
    twice = made(1.0, code=2, arguments=("-a", "rounds=2"))
    assert set(suite.results(twice).values()) == {None}


@pytest.mark.slow
def test_publish_finds_where_each_metric_got_worse(suite, made):
    """Ten commits with the numbers of one, then ten with those of a worse one, or a better."""
    for factor, found in ((1.5, True), (1 / 1.5, False), (1.0, False)):
        shutil.rmtree(suite.folder / "results", ignore_errors=True)  # none at first
        suite.command("machine", "--yes")
        for each in (1.0, factor):
            measured = made(each)
            (path,) = (suite.folder / "results").glob(f"*/{measured[:8]}-*.json")
            for _ in range(9):
                commit = suite.commit()
                told = json.loads(path.read_text())
                told["commit_hash"] = commit
                name = path.name.replace(measured[:8], commit[:8])
                write_bytes(path.with_name(name), json.dumps(told).encode())
        suite.command("publish")
        regressions = json.loads((suite.folder / "html" / "regressions.json").read_text())
        names = {entry[0].split("(")[0] for entry in regressions["regressions"]}
        assert names == ({f"mixtures.{name}" for name in benchmarks()} if found else set())


def test_publish_is_told_of_luck_as_the_table_has_it():
    told = load_json(Path(gmixbench.__file__).parents[1] / "asv.conf.json", js_comments=True)
    for row in LOWER:
        name = f"mixtures.{row.kind.capitalize()}.track_{row.name}('here-pymc', 'unordered')"
        silent = any(re.match(each, name) for each in told["regressions_first_commits"])
        assert silent == (row.touch_zero or row.name == "rhat"), name
        shares = [s for r, s in told["regressions_thresholds"].items() if re.match(r, name)]
        assert shares == ([row.luck] if row.luck else []), name


def test_what_asv_reads_of_the_benchmarks():
    told = benchmarks()
    for name, track in told.items():
        metric = METRICS[track.metric]
        assert metric.better in {"higher", "lower"}, name
        assert (track.unit == "seconds") == (metric.unit in {"s", "1/s"}), name
    assert len({track.pretty_name for track in told.values()}) == len(told)
    for kind in (asv.Nuts, asv.Advi):
        assert kind.version == f"1-{asv.PLAN.profile}"
        assert kind.timeout == 120.0
        assert kind.param_names == ("stack", "model")
    assert asv.Nuts.setup_cache is asv.Advi.setup_cache
    assert asv.Nuts.setup_cache.timeout == asv.PLAN.timeout


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (asv_plan.FITS_VARIABLE, "6", "of 6 against 6"),
        (asv_plan.FITS_VARIABLE, "0", "give a number of fits"),
        (asv_plan.FITS_VARIABLE, "many", "give a number of fits"),
        (asv_plan.PROFILE_VARIABLE, "brief", "choose from quick, standard, seed"),
        (asv_plan.STACKS_VARIABLE, " , ", "names nothing"),
    ],
)
def test_a_variable_without_meaning(monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=f"{variable}={value}: .*{words}"):
        asv_plan.plan()


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """Folder of three lock files, as asv's configuration has them; nothing is built."""
    monkeypatch.setenv("ASV_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GMIXBENCH_STACKS", raising=False)
    monkeypatch.delenv(asv_plan.STACKS_VARIABLE, raising=False)
    folder = tmp_path / "benchmarks" / "stacks"
    folder.mkdir(parents=True)
    for name in ("pymc-v5.9.2", "pymc-v5.10.4", "numpyro-v0.22.0"):
        shutil.copy(ROOT / "benchmarks" / "stacks" / f"{name}.txt", folder)
    return folder


def pretend_to_build(locks, name):
    place = asv_plan.building.environment(asv_plan.stacks.find(name, locks))
    write_bytes(place / asv_plan.building.MARKER, b"")


def test_by_default_what_is_here_and_the_newest_that_is_built(locks):
    here = asv_plan.plan().stacks
    assert all(each.startswith("here-") for each in here)
    pretend_to_build(locks, "pymc-v5.9.2")
    assert asv_plan.plan().stacks == (*here, "pymc-v5.9.2")
    pretend_to_build(locks, "pymc-v5.10.4")
    pretend_to_build(locks, "numpyro-v0.22.0")
    assert asv_plan.plan().stacks == (*here, "pymc-v5.10.4", "numpyro-v0.22.0")


@pytest.mark.usefixtures("locks")
def test_what_stacks_are_asked_for(monkeypatch):
    here = asv_plan.plan().stacks
    monkeypatch.setenv(asv_plan.STACKS_VARIABLE, "pymc-v5.9.2,here,here-exact,pymc-v5.9.2")
    assert asv_plan.plan().stacks == ("pymc-v5.9.2", *here, "here-exact")
    assert asv_plan.backend_and_stack("pymc-v5.9.2") == ("pymc", "pymc-v5.9.2")
    assert asv_plan.backend_and_stack("here-a.module") == ("a.module", "here")


def test_lock_files_are_found_from_the_configuration(locks, monkeypatch):
    assert asv_plan.locks() == locks
    monkeypatch.setenv("GMIXBENCH_STACKS", "elsewhere")
    assert asv_plan.locks() == locks.parents[1] / "elsewhere"
    monkeypatch.setenv("GMIXBENCH_STACKS", "/elsewhere")
    assert asv_plan.locks() == Path("/elsewhere")


@pytest.mark.parametrize("value", [-1e-9, 0.0, 1e-9])
def test_a_gap_is_never_negative(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    fits = {("here-exact", "ordered", "advi-matched"): Fitted(({"gap": value},))}
    told = asv.Advi().track_gap(fits, "here-exact", "ordered")
    assert told == {"samples": [max(0.0, value)], "number": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("rhat", math.nan), ("rhat", math.inf), ("draws_per_second", 0.0)],
)
def test_what_is_not_finite_fails(tmp_path, monkeypatch, name, value):
    monkeypatch.chdir(tmp_path)
    fits = {("here-exact", "ordered", "nuts"): Fitted(({name: value},))}
    (track,) = [each for each in benchmarks().values() if each.metric == name]
    with pytest.raises(asv.NoResultError, match=rf"{name} of ordered in here-exact is"):
        track(asv.Nuts(), fits, "here-exact", "ordered")


@pytest.mark.slow
def test_a_slowed_copy_of_a_real_backend(suite, plant, monkeypatch):
    monkeypatch.setenv(asv_plan.STACKS_VARIABLE, f"here-{plant('real')}")
    suite.write(THEIRS)
    commits = []
    # A crowded machine samples at half its speed: the fault is far beyond, the factor between.
    for times in (0, 24, 0):
        plant("real", REAL.format(times=times))
        commits.append(suite.commit())
        suite.run(commits[-1], "-b", r"seconds_per_draw\(.*'ordered'")
    before, slower, same = commits
    for first, second, found in (
        (before, slower, "+"),
        (slower, same, "-"),
        (before, same, ""),
    ):
        said = suite.command("compare", "--factor", "5", first, second)
        assert re.findall(r"^\| (\S*) +\|.* 'ordered'\)", said, re.MULTILINE) == [found]

"""The files that the gate reads: three kinds, each metric both ways, and everything bad."""

import json
import math
from dataclasses import replace
from datetime import date

import pytest

from gmixbench.disk import case_to_dict
from gmixbench.lab.baseline import write_baseline
from gmixbench.lab.datasets import load
from gmixbench.lab.gate_files import NOT_RESULTS, GateFileError, read_side
from gmixbench.lab.results import case_row
from gmixbench.lab.store import FolderError, data_sha256
from gmixbench.ruler import gate
from gmixbench.ruler.lower import LOWER
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.tolerances import TIMED, TOLERANCES
from gmixbench.spec import MODELS, AdviSettings, Case, NutsSettings

NUTS = Case("overlapping", MODELS["unordered"], "pymc", "nuts", NutsSettings())
ADVI = Case("overlapping", MODELS["unordered"], "pymc", "advi-matched", AdviSettings())

MACHINE = {"cpu": "a processor", "cores": "4", "platform": "Linux", "machine_id": "5ab1e"}

GOOD = {
    **dict.fromkeys(METRICS, 1.0),
    "ess_bulk": 2000.0,
    "ess_tail": 2000.0,
    "rhat": 1.001,
    "rhat_relabelled": 1.001,
    "mode_switches": 300.0,
    "occupancy_error": 0.02,
    "density_error": 1e-14,
    "density_constant": 0.0,
    "divergences": 0.0,
    "max_treedepth_share": 0.0,
    "gap": 0.01,
    "loss": 170.0,
    "average_loss": 170.0,
    "steps_to_converge": 1000.0,
}
"""A run in which all is well; chains mix, so that labels tell something."""


LESS_IS_WORSE = {
    "draws_per_second",
    "ebfmi",
    "ess_bulk",
    "ess_per_gradient",
    "ess_per_second",
    "ess_tail",
    "mode_switches",
    "steps_per_second",
}
"""Of all others more is. Said here again: the code's own table may be wrong."""


def worse(metric, value, factor=40.0):
    """The value after a change for the worse beyond any noise of a single run."""
    tolerance, sign = TOLERANCES[metric], -1 if metric in LESS_IS_WORSE else 1
    if tolerance.scale == "ratio":
        return value * factor**sign
    return value + sign * 14 * max(tolerance.band, tolerance.noise)


def row(case, metrics, seed=0, **changes):
    told = {"valid": True, "labels": None, "converged": None, "reasons": [], "metrics": metrics}
    return {**case_row(replace(case, seed=seed)), **told, **changes}


def scores(rows, failures=(), **environment):
    about = MACHINE | {"pymc": "6.4.0"} | environment
    return {"schema": 1, "environment": about, "scores": rows, "failures": [*failures]}


def of(metric):
    """Case that a metric is defined for."""
    return NUTS if METRICS[metric].concerns("nuts") else ADVI


def own(metric, value):
    metrics = GOOD | {metric: value}
    return scores([row(of(metric), metrics)])


def saved(metric, value):
    """What pytest-benchmark saves, as `suite.plugin` describes it."""
    case = of(metric) if metric != TIMED else NUTS
    told = row(case, GOOD | ({} if metric == TIMED else {metric: value}))
    about = ("dataset", "model", "mixture", "backend", "method", "likelihood", "settings", "stack")
    ours = {
        "schema": 1,
        "timed": "seconds of something",
        "case": {name: told.pop(name) for name in about},
        "rounds": [told],
    }
    if metric == TIMED:
        ours["case"] |= {"method": "density", "dataset": "generated-100", "settings": {"n": 100}}
    seconds = value if metric == TIMED else 1.0
    benchmark = {
        "name": "pymc",
        "extra_info": {"gmixbench": ours},
        "stats": {"median": seconds, "data": [seconds / 2, seconds, 2 * seconds]},
    }
    twice = [benchmark, json.loads(json.dumps(benchmark))]  # as two benchmarks of one fit
    stranger = {"name": "other", "extra_info": {}, "stats": {"median": 1.0}}
    info = {"node": "here", "cpu": {}, "gmixbench": MACHINE | {"pymc": "6.4.0"}}
    return {"machine_info": info, "benchmarks": [*twice, stranger], "version": "5.3.0"}


def asv(entry, value, params=(("'here-pymc'",), ("'unordered'",)), **changes):
    """What `asv run` saves for a commit; the occupancy stands beside for the labels' sake."""
    kind = entry.kind.capitalize()
    rows = {f"gmixbench_asv.{kind}.track_{entry.name}": value}
    if entry.metric == "rhat":
        rows["gmixbench_asv.Nuts.track_occupancy_error"] = 0.02
    columns = ["result", "params", "version", "started_at", "duration", "samples"]
    machine = {"machine": "m", "cpu": "a processor", "num_cpu": "4", "os": "Linux", "arch": "x"}
    results = {
        name: [
            number if isinstance(number, list) else [number],
            [list(values) for values in params],
            "1",
            0,
            1.0,
        ]
        for name, number in rows.items()
    }
    results["other.time_something"] = [[1.0], [], "1", 0, 1.0, [[1.0, 1.1]]]
    return {
        "commit_hash": "0123456789",
        "python": "3.13",
        "params": machine | {"ram": ""},
        "result_columns": columns,
        "results": results,
        "version": 2,
        **changes,
    }


@pytest.fixture
def read(tmp_path):
    """Write some data as a file and read it as a side."""

    def write(data, name="file.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return read_side(path)

    return write


def judged(base, new):
    outcome = gate.judge(base, new)
    assert not outcome.faults
    return {one.metric: one.verdict for one in outcome.judgements}


def flip(good, bad, metric):
    """One metric is made worse, and then better: what the gate says, both times."""
    said = judged(good, bad)
    assert said.pop(metric) == "regressed"
    assert "regressed" not in said.values()
    said = judged(bad, good)
    # Chains of a baseline that do not mix tell nothing by their labels.
    expected = "left out" if metric == "occupancy_error" else "improved"
    assert said.pop(metric, "left out") == expected
    assert not {"regressed", "improved"} & set(said.values())
    assert "regressed" not in judged(good, good).values()


DIRECTED = sorted(name for name, metric in METRICS.items() if metric.better)


@pytest.mark.parametrize("metric", DIRECTED)
def test_each_metric_both_ways_in_our_own_files(read, metric):
    bad = own(metric, worse(metric, GOOD[metric]))
    flip(read(own(metric, GOOD[metric])), read(bad), metric)


@pytest.mark.parametrize("metric", [*DIRECTED, TIMED])
def test_each_metric_both_ways_in_files_of_pytest_benchmark(read, metric):
    value = GOOD.get(metric, 1.0)
    flip(read(saved(metric, value)), read(saved(metric, worse(metric, value))), metric)


@pytest.mark.parametrize("entry", LOWER, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_each_metric_both_ways_in_files_of_asv(read, entry):
    good, bad = GOOD[entry.metric], worse(entry.metric, GOOD[entry.metric])
    shown = [1 / value if entry.inverse else value for value in (good, bad)]
    assert shown[1] > shown[0]  # to asv less is better
    flip(*(read(asv(entry, value)) for value in shown), entry.metric)


def test_occupancy_both_ways_while_chains_mix(read, tmp_path):
    def rounds(name, error):
        for k, luck in enumerate((0.99, 1.0, 1.01)):
            metrics = GOOD | {"occupancy_error": error * luck}
            read(scores([row(NUTS, metrics, seed=k)]), f"{name}/{k}/scores.json")
        return read_side(tmp_path / name)

    good, bad = rounds("good", 0.01), rounds("bad", 0.085)
    assert judged(good, bad)["occupancy_error"] == "regressed"
    assert judged(bad, good)["occupancy_error"] == "improved"


@pytest.mark.parametrize("road", ["own", "pytest-benchmark", "asv"])
@pytest.mark.parametrize("metric", ["draws_per_second", "seconds_per_gradient", "rhat", "gap"])
def test_a_direction_turned_round_is_seen(read, monkeypatch, road, metric):
    """Control of the flips: each fails where the table has a metric upside down."""
    good, bad = GOOD[metric], worse(metric, GOOD[metric])
    entry = next((one for one in LOWER if one.metric == metric), LOWER[0])

    def turned(value):
        return 1 / value if entry.inverse else value

    make = {"own": own, "pytest-benchmark": saved, "asv": lambda _, v: asv(entry, turned(v))}[road]
    flip(read(make(metric, good)), read(make(metric, bad)), metric)
    other = "lower" if METRICS[metric].better == "higher" else "higher"
    monkeypatch.setitem(METRICS, metric, replace(METRICS[metric], better=other))
    with pytest.raises(AssertionError):
        flip(read(make(metric, good)), read(make(metric, bad)), metric)


def test_seconds_that_follow_from_the_metrics_of_a_fit_are_not_read_again(read):
    (fit,) = read(saved("compile_s", 1.0)).cases.values()
    assert TIMED not in fit[0].metrics
    data = saved(TIMED, 1.0)
    for benchmark in data["benchmarks"][:2]:
        benchmark["stats"]["median"] = 7.0
    (timed,) = read(data).cases.values()
    assert timed[0].metrics[TIMED] == 1.0
    for benchmark in data["benchmarks"][:2]:
        del benchmark["stats"]["data"]
    (timed,) = read(data).cases.values()
    assert timed[0].metrics[TIMED] == 7.0


def test_a_file_without_results_of_ours_is_a_side_that_misses_all(read):
    strangers = {"machine_info": {}, "benchmarks": [{"extra_info": {}, "stats": {}}]}
    assert not read(strangers).cases
    outcome = gate.judge(read(saved("gap", 0.01)), read(strangers))
    assert outcome.verdict == "not measured"
    assert outcome.faults
    assert gate.judge(read(scores([])), read(scores([]))).verdict == "not measured"


def test_a_folder_of_rounds_is_one_side_whose_rounds_are_runs(read, tmp_path):
    for k in range(3):
        read(scores([row(NUTS, GOOD, seed=k)]), f"rounds/{k}/scores.json")
        (tmp_path / f"rounds/{k}/plan.json.leftover").write_text("")
    side = read_side(tmp_path / "rounds")
    ((_, replicates),) = side.cases.items()
    assert [(one.run, one.seed) for one in replicates] == [("0", 0), ("1", 1), ("2", 2)]
    outcome = gate.judge(side, side)
    assert outcome.judgements[0].source == "3 pairs of runs"
    for k in range(3):
        read(saved("gap", 0.01), f"sessions/{k:04}_base.json")
    ((_, replicates),) = read_side(tmp_path / "sessions").cases.items()
    assert len(replicates) == 3


BIAS = "bias: 4.7 MCSE off"


@pytest.mark.parametrize(
    ("lost", "reason", "fault"),
    [
        ((3,), None, "1 of 7 runs: not in its file"),
        ((3, 5), None, "2 of 7 runs: not in its file"),
        ((3,), "crash: signal 11", "1 of 7 runs: crash: signal 11"),
        ((3, 5), BIAS, f"2 of 7 runs: {BIAS}"),
        ((3,), BIAS, None),
    ],
)
def test_what_a_session_does_not_hold_is_a_fault_unless_chance_refused_it(
    read, tmp_path, lost, reason, fault
):
    def sessions(name, lost):
        for k in range(7):
            whole = saved("gap", 0.01)
            whole["benchmarks"] += [] if k in lost else saved("rhat", 1.001)["benchmarks"]
            if k in lost and reason:
                whole["gmixbench_refused"] = [row(NUTS, {}, valid=False, reasons=[reason])]
            read(whole, f"{name}/{k}.json")
        return read_side(tmp_path / name)

    outcome = gate.judge(sessions("base", ()), sessions("new", lost))
    if fault:
        assert [(one.side, one.message) for one in outcome.faults] == [("NEW", fault)]
    else:
        assert not outcome.faults
        assert any(f"left out of NEW, 1 of 7 runs: {BIAS}" in note for note in outcome.notes)


def test_a_run_that_is_not_scored_among_others_is_named(read, tmp_path):
    for k in range(7):
        read(scores([row(NUTS, GOOD, seed=k)]), f"rounds/{k}/scores.json")
    (tmp_path / "rounds/7").mkdir()
    (tmp_path / "rounds/7/plan.json").write_text("{}")
    with pytest.raises(GateFileError, match=r"rounds/7 is not scored: `gmixbench score "):
        read_side(tmp_path / "rounds")


def test_rounds_of_which_one_does_not_tell_its_machine_are_of_an_unknown_one(read, tmp_path):
    for k in range(7):
        data = scores([row(NUTS, GOOD, seed=k)])
        read(without(data, "environment", "machine_id") if k else data, f"{k}/scores.json")
    side = read_side(tmp_path)
    assert not side.machines
    assert gate.judge(side, side).refused


@pytest.mark.parametrize("metric", ["gap", "loss", "kl", "average_loss", "pareto_k"])
def test_what_may_be_negative_is_no_damage(read, metric):
    """Pareto k is below 0 where the importance ratios are bounded."""
    assert read(own(metric, -0.024)).cases


def test_data_of_one_name_are_one_case_only_if_they_are_the_same(read):
    def measured(name, **digests):
        return scores([row(replace(NUTS, dataset=name), GOOD)]) | {"data_sha256": digests}

    close = data_sha256(load("close").x)
    for name, ours, theirs in (("h", "1" * 64, "2" * 64), ("close", close, "2" * 64)):
        base, other = (read(measured(name, **{name: told})) for told in (ours, theirs))
        assert gate.judge(base, base).judgements
        outcome = gate.judge(base, other)
        assert not outcome.judgements
        assert all("is of other settings: " in fault.message for fault in outcome.faults)
    old = read(scores([row(replace(NUTS, dataset="close"), GOOD)]))
    assert not gate.judge(old, read(measured("close", close=close))).faults
    assert not old.notes
    old = read(scores([row(replace(NUTS, dataset="h"), GOOD)]))
    assert "h is taken for the same data" in gate.judge(old, old).notes[0]


def test_history_s_own_file_is_no_run(read, tmp_path):
    read(scores([row(NUTS, GOOD)]), "0/scores.json")
    for name in NOT_RESULTS:
        (tmp_path / name).write_text("{}")
    (tmp_path / "plan.json").unlink()  # of a run, and this is none
    assert len(read_side(tmp_path).cases) == 1


def test_samples_of_asv_that_are_alike_in_one_metric_stay_with_their_seeds(read):
    data = asv(LOWER[0], 1.0)
    columns = data["results"]["gmixbench_asv.Nuts.track_seconds_per_draw"]
    columns.append([[1.0, 1.0, 0.5]])
    data["results"]["gmixbench_asv.Nuts.track_rhat"] = [*columns[:-1], [[1.25, 1.5, 1.75]]]
    (replicates,) = read(data).cases.values()
    assert [one.metrics["draws_per_second"] for one in replicates] == [1.0, 1.0, 2.0]
    assert [one.metrics["rhat"] for one in replicates] == [1.25, 1.5, 1.75]


def test_rounds_of_two_versions_or_kinds_are_no_side(read, tmp_path):
    read(scores([row(NUTS, GOOD)]), "two/0/scores.json")
    read(scores([row(NUTS, GOOD)], pymc="6.3.2"), "two/1/scores.json")
    with pytest.raises(GateFileError, match=r"no set of rounds: pymc is 6\.4\.0 in .* 6\.3\.2 in"):
        read_side(tmp_path / "two")
    read(scores([row(NUTS, GOOD)]), "kinds/0/scores.json")
    read(saved("gap", 0.01), "kinds/1.json")
    with pytest.raises(GateFileError, match="gmixbench and of pytest-benchmark"):
        read_side(tmp_path / "kinds")
    read(asv(LOWER[0], 1.0), "commits/1.json")
    read(asv(LOWER[0], 1.0, commit_hash="9876543210"), "commits/2.json")
    with pytest.raises(GateFileError, match="commit is 01234567"):
        read_side(tmp_path / "commits")


def test_invalid_failed_and_unmeasured_cases_are_faults(read, tmp_path):
    invalid = row(NUTS, GOOD, valid=False, reasons=["bias: 9 MCSE off"])
    failed = {**case_row(ADVI), "kind": "crash", "message": "signal 11"}
    planned = [replace(NUTS, backend="numpyro"), NUTS, ADVI]
    plan = {"profile": "quick", "environment": {}, "cases": [case_to_dict(c) for c in planned]}
    (tmp_path / "run").mkdir()
    (tmp_path / "run/plan.json").write_text(json.dumps(plan))
    side = read(scores([invalid], [failed]), "run/scores.json")
    assert {(key.backend, key.method): one.faults for key, (one,) in side.cases.items()} == {
        ("pymc", "nuts"): ("bias: 9 MCSE off",),
        ("pymc", "advi-matched"): ("crash: signal 11",),
        ("numpyro", "nuts"): ("planned, and not measured",),
    }


def test_machines_are_told(read):
    assert read(own("gap", 0.01)).machines == ("5ab1e: a processor, 4 cores, Linux",)
    assert read(saved("gap", 0.01)).machines == ("5ab1e: a processor, 4 cores, Linux",)
    assert read(asv(LOWER[0], 1.0)).machines == ("m, a processor, 4, Linux, x",)


def test_two_machines_of_one_kind_are_two(read):
    one, other = (read(scores([row(NUTS, GOOD)], machine_id=which)) for which in ("1", "2"))
    outcome = gate.judge(one, other)
    assert "1: a processor" in outcome.refused
    assert "2: a processor" in outcome.refused
    assert not any(TOLERANCES[one.metric].machine for one in outcome.judgements)
    assert not gate.judge(one, one).refused


def test_files_that_do_not_tell_which_machine_are_judged_but_for_their_timings(read):
    def old(data):
        return without(data, "environment", "machine_id")

    past = read(old(own("gap", 0.01)))
    outcome = gate.judge(past, past)
    assert "BASELINE was measured on an unknown machine" in outcome.refused
    assert {one.metric for one in outcome.judgements} >= {"gap", "density_error"}
    assert not any(TOLERANCES[one.metric].machine for one in outcome.judgements)
    assert not gate.judge(past, past, across_machines=True).refused
    # An accepted baseline has the machine in the old words.
    new = read(own("gap", 0.01))
    accepted = replace(new, machines=("a processor, 4 cores, Linux",))
    assert gate.judge(accepted, new).refused
    # The name that pytest-benchmark tells is that of many machines.
    past = read(without(saved("gap", 0.01), "machine_info", "gmixbench", "machine_id"))
    assert gate.judge(past, past).refused


def test_a_mixture_of_ones_own_is_another_case(read):
    wide = replace(NUTS, model=replace(NUTS.model, sigma=2.0))
    keys = [*read(scores([row(NUTS, GOOD)])).cases, *read(scores([row(wide, GOOD)])).cases]
    assert "sigma" not in keys[0].settings
    assert "sigma=2.0" in keys[1].settings


def test_what_failed_in_asv_is_a_fault_and_what_is_not_there_is_not(read):
    two = (("'here-pymc'", "'pymc-v6.4.0'"), ("'unordered'",))
    side = read(asv(LOWER[0], [1.0, None], two))
    faults = {key.stack: [one.faults for one in found] for key, found in side.cases.items()}
    assert faults == {"here": [()], "pymc-v6.4.0": [("failed in asv: seconds_per_draw",)]}
    side = read(asv(LOWER[0], [1.0, math.nan], two))
    assert [key.stack for key in side.cases] == ["here"]
    assert next(iter(side.cases)).backend == "pymc"
    whole = asv(LOWER[0], 1.0, two)
    whole["results"]["gmixbench_asv.Nuts.track_seconds_per_draw"][0] = None
    assert all(one.faults for found in read(whole).cases.values() for one in found)
    assert side.strangers == 1


def test_samples_of_asv_are_seeds_of_one_run(read):
    data = asv(LOWER[0], 1.0)
    data["results"]["gmixbench_asv.Nuts.track_seconds_per_draw"].append([[1.0, 0.5, 0.25]])
    (replicates,) = read(data).cases.values()
    assert [one.metrics["draws_per_second"] for one in replicates] == [1.0, 2.0, 4.0]
    assert [one.seed for one in replicates] == [0, 1, 2]
    assert len({one.run for one in replicates}) == 1


def test_the_same_fits_of_asv_are_no_evidence_more(read):
    data = asv(LOWER[0], 1.0)
    data["results"]["gmixbench_asv.Nuts.track_seconds_per_draw"].append([[0.5] * 7])
    (replicates,) = read(data).cases.values()
    assert [one.metrics for one in replicates] == [{"draws_per_second": 2.0}]


def test_methods_of_asv_files_are_told_apart(read):
    data = asv(LOWER[0], 1.0)
    (row,) = (data["results"].pop(name) for name in [*data["results"]] if "draw" in name)
    names = ("nuts.compile", "advi-matched.compile", "advi-library.compile", "theirs.track_compile")
    data["results"] |= {name: [[seconds], *row[1:]] for seconds, name in enumerate(names, 1)}
    side = read(data)
    found = {key.method: one.metrics["compile_s"] for key, (one,) in side.cases.items()}
    assert found == {"nuts": 1.0, "advi-matched": 2.0, "advi-library": 3.0}
    assert side.strangers == 2


def test_a_number_of_which_no_ratio_exists_is_refused(read):
    with pytest.raises(GateFileError, match="damaged: draws_per_second"):
        read(asv(LOWER[0], 1e-300))


def test_asv_reads_and_writes_what_we_read(tmp_path):
    from asv.results import Results

    machine = {"machine": "m", "cpu": "p", "num_cpu": "4", "os": "Linux", "arch": "x", "ram": "1"}
    results = Results(machine, {}, "0123456789abcdef", 0, "3.13", "environment", {})
    data = asv(LOWER[0], 2.0)
    data["params"], data["requirements"], data["date"] = machine, {}, 0
    data |= {"env_name": "environment", "env_vars": {}, "durations": {}}
    path = tmp_path / "m" / "01234567-environment.json"
    path.parent.mkdir()
    path.write_text(json.dumps(data))
    results.load_data(str(tmp_path))
    results.save(str(tmp_path))
    (replicates,) = read_side(path).cases.values()
    assert replicates[0].metrics == {"draws_per_second": 0.5}


def test_a_release_of_a_history_is_a_side(read):
    def measurement(number, **changes):
        return {
            "case": case_to_dict(replace(NUTS, seed=number + 1)),
            "session": "s",
            "round": number,
            "valid": True,
            "reasons": [],
            "failure": None,
            "metrics": GOOD,
            "environment": MACHINE,
            **changes,
        }

    rows = [measurement(0), measurement(1), measurement(2, valid=False, failure="crash: x")]
    release = {"schema": 1, "release": {"packages": {"pymc": "6.4.0"}}}
    side = read(release | {"measurements": rows})
    (replicates,) = side.cases.values()
    assert [one.run for one in replicates] == ["s round 0", "s round 1", "s round 2"]
    assert replicates[2].faults == ("crash: x",)
    assert side.machines == ("5ab1e: a processor, 4 cores, Linux",)
    old = release | {"measurements": [measurement(0, environment={"cpu": "p"})]}
    assert read(old).machines == ("s: p",)  # a session is one machine


def test_a_baseline_reads_as_what_it_was_made_of(read, tmp_path):
    for side in (read(own("gap", 0.01)), read(saved(TIMED, 1.0)), read(asv(LOWER[0], 1.0))):
        path = tmp_path / "baseline.json"
        path.unlink(missing_ok=True)
        write_baseline(path, side, "first", date(2026, 11, 23))
        again = read_side(path)
        assert (again.kind, again.machines, again.versions) == (
            side.kind,
            side.machines,
            side.versions,
        )
        assert again.cases == side.cases


def test_a_baseline_tells_what_it_replaced(read, tmp_path):
    path, side = tmp_path / "baseline.json", read(own("gap", 0.01))
    write_baseline(path, side, "first", date(2026, 11, 22))
    write_baseline(path, side, "faster trees", date(2026, 11, 23))
    told = json.loads(path.read_text())
    assert (told["accepted"], told["reason"]) == ("2026-11-23", "faster trees")
    assert told["replaced"]["reason"] == "first"
    assert told["replaced"]["accepted"] == "2026-11-22"


def test_a_baseline_replaces_nothing_else(read, tmp_path):
    path, side = tmp_path / "thesis.json", read(own("gap", 0.01))
    path.write_text('{"mine": 1}')
    with pytest.raises(FolderError, match="no baseline, and stays"):
        write_baseline(path, side, "first", date(2026, 11, 22))
    assert path.read_text() == '{"mine": 1}'


def without(data, *keys):
    place = data
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    return data


def changed(data, value, *keys):
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return data


TRACK = "gmixbench_asv.Nuts.track_seconds_per_draw"

BAD = {
    "empty": ("", "no JSON"),
    "cut short": (json.dumps(own("gap", 0.01))[:-9], "no JSON"),
    "binary": ("\x00\x01", "no JSON"),
    "a list": ("[]", "is none of"),
    "a number": ("3", "is none of"),
    "something else": ('{"a": 1}', "is none of"),
    "no environment": (without(own("gap", 0.01), "environment"), "it has no 'environment'"),
    "no metrics": (without(own("gap", 0.01), "scores", 0, "metrics"), "it has no 'metrics'"),
    "metrics are text": (scores([row(NUTS, GOOD | {"rhat": "good"})]), "rhat of .* is 'good'"),
    "metrics are true": (scores([row(NUTS, GOOD | {"rhat": True})]), "rhat of .* is True"),
    "metrics are too large": (scores([row(NUTS, GOOD | {"rhat": 10**400})]), "too large"),
    "metrics are a list": (scores([row(NUTS, [1.0])]), "damaged"),
    "a list in a list, and so on": ('{"a": ' + "[" * 100_000, "nested too deeply"),
    "scores of the future": (own("gap", 0.01) | {"schema": 2}, "schema 2 where 1 was expected"),
    "no schema": (without(own("gap", 0.01), "schema"), "it has no 'schema'"),
    "pytest-benchmark of the future": (
        changed(saved("gap", 0.01), 99, "benchmarks", 0, "extra_info", "gmixbench", "schema"),
        "schema 99",
    ),
    "valid is text": (scores([row(NUTS, GOOD, valid="false")]), "valid is 'false'"),
    "reasons are text": (scores([row(NUTS, GOOD, valid=False, reasons="bias")]), "'bias'"),
    "a reason is a number": (scores([row(NUTS, GOOD, valid=False, reasons=[1])]), "is no text"),
    "a seed is text": (scores([row(NUTS, GOOD) | {"seed": "1"}]), "a seed of .* is '1'"),
    "seconds are negative": (own("compile_s", -1.0), "compile_s of .* is -1.0"),
    "R-hat is negative": (own("rhat", -1.0), "rhat of .* is -1.0"),
    "scores are a number": (
        {"schema": 1, "scores": 1, "failures": [], "environment": {}},
        "damaged",
    ),
    "extra_info is wrong": (
        without(saved("gap", 0.01), "benchmarks", 0, "extra_info", "gmixbench", "rounds"),
        "it has no 'rounds'",
    ),
    "asv of another shape": (asv(LOWER[0], [1.0, 2.0]), "damaged"),
    "asv with less than nothing": (asv(LOWER[0], -1.0), "seconds_per_draw is -1.0"),
    "asv with text": (asv(LOWER[0], "fast"), "damaged"),
    "asv without machine": (without(asv(LOWER[0], 1.0), "params", "cpu"), "it has no 'cpu'"),
    "asv with code": (asv(LOWER[0], 1.0, (("exit()",), ("'ordered'",))), "damaged"),
    "asv with half a string": (asv(LOWER[0], 1.0, (("'",), ("'ordered'",))), "damaged"),
    "a baseline of the future": (
        {"schema": 99, "accepted": "", "cases": []},
        "schema 99",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_told_in_one_line(read, name):
    data, words = BAD[name]
    with pytest.raises(GateFileError, match=words) as caught:
        read(data)
    assert "file.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_folders_are_told_in_one_line(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        read_side(tmp_path / "nowhere")
    with pytest.raises(GateFileError, match="holds no results"):
        read_side(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(GateFileError, match="gmixbench score"):
        read_side(tmp_path)


def test_a_damaged_plan_is_told(read, tmp_path):
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(GateFileError, match=r"plan\.json is damaged"):
        read(own("gap", 0.01), "scores.json")

"""The gate's judgement: what it finds, what it leaves alone, and what it can't judge."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.ruler import gate
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.ruler.tolerances import TIMED, TOLERANCES

NUTS = Key("close", "ordered", "pymc", "nuts", "draws=1000", "here")
FREE = replace(NUTS, model="unordered")
ADVI = replace(NUTS, method="advi-matched", settings="steps=15000")

TYPICAL = {
    "seconds_per_gradient": 3e-5,
    "ess_per_gradient": 0.08,
    "rhat_relabelled": 1.001,
    "density_error": 1e-14,
}


def side(cases, machines=("a machine",), **changes):
    found = {
        key: tuple(
            one if isinstance(one, Replicate) else Replicate(str(k), k, one)
            for k, one in enumerate(runs)
        )
        for key, runs in cases.items()
    }
    return replace(Side("file", "gmixbench", machines, found), **changes)


def runs(count=5, seed=0, noise=0.01, **changes):
    """Runs whose clock and ESS are noisy; `changes` are factors."""
    rng = np.random.default_rng(seed)

    def one():
        metrics = dict(TYPICAL)
        for name in ("seconds_per_gradient", "ess_per_gradient"):
            metrics[name] *= math.exp(noise * rng.standard_normal()) * changes.get(name, 1.0)
        return metrics

    return [one() for _ in range(count)]


def verdicts(outcome):
    return {(one.key.model, one.metric): one.verdict for one in outcome.judgements}


def test_every_metric_with_a_direction_has_a_tolerance():
    directed = {metric.name for metric in METRICS.values() if metric.better}
    assert set(TOLERANCES) == directed | {TIMED}
    for name, metric in METRICS.items():
        if metric.better:
            assert TOLERANCES[name].sign == (1 if metric.better == "lower" else -1)
    assert all(one.reason and one.band > 0 and one.noise >= 0 for one in TOLERANCES.values())


def test_an_unchanged_side_is_fine_and_a_slower_one_regressed():
    base = side({NUTS: runs(seed=1)})
    same = gate.judge(base, side({NUTS: runs(seed=2)}))
    assert same.verdict == "fine"
    assert set(verdicts(same).values()) == {"equivalent"}
    slower = gate.judge(base, side({NUTS: runs(seed=2, seconds_per_gradient=1.15)}))
    assert slower.verdict == "regressed"
    (found,) = slower.regressed
    assert found.metric == "seconds_per_gradient"
    assert found.change == pytest.approx((1.15, 1.13, 1.17), abs=0.02)
    faster = gate.judge(base, side({NUTS: runs(seed=2, seconds_per_gradient=1 / 1.15)}))
    assert verdicts(faster)["ordered", "seconds_per_gradient"] == "improved"
    assert faster.verdict == "fine"


def test_single_runs_are_held_against_the_noise_of_the_history():
    base = side({NUTS: [TYPICAL]})
    slightly = gate.judge(base, side({NUTS: [TYPICAL | {"seconds_per_gradient": 3.3e-5}]}))
    assert slightly.verdict == "inconclusive"
    assert [one.metric for one in slightly.unanswered] == ["seconds_per_gradient"]
    twice = gate.judge(base, side({NUTS: [TYPICAL | {"seconds_per_gradient": 6e-5}]}))
    assert [one.metric for one in twice.regressed] == ["seconds_per_gradient"]
    assert "assumed noise" in twice.regressed[0].source


def test_seeds_of_one_run_are_no_replicates_of_its_clock():
    def one(seed, factor):
        metrics = TYPICAL | {"seconds_per_gradient": 3e-5 * factor * (1 + 1e-4 * seed)}
        return Replicate("the run", seed, metrics)

    base = side({NUTS: [one(seed, 1.0) for seed in range(7)]})
    new = side({NUTS: [one(seed, 1.10) for seed in range(7)]})
    outcome = gate.judge(base, new)
    assert verdicts(outcome)["ordered", "seconds_per_gradient"] == "inconclusive"
    as_rounds = [replace(one(seed, 1.10), run=str(seed)) for seed in range(7)]
    base_rounds = [replace(one(seed, 1.0), run=str(seed)) for seed in range(7)]
    outcome = gate.judge(side({NUTS: base_rounds}), side({NUTS: as_rounds}))
    assert verdicts(outcome)["ordered", "seconds_per_gradient"] == "regressed"


def test_rounds_of_one_seed_are_no_replicates_of_what_the_seed_decides():
    def rounds(value):
        metrics = TYPICAL | {"ess_per_gradient": value}
        return [Replicate(str(k), 0, metrics) for k in range(7)]

    outcome = gate.judge(side({NUTS: rounds(0.08)}), side({NUTS: rounds(0.06)}))
    assert verdicts(outcome)["ordered", "ess_per_gradient"] == "inconclusive"
    assert "1 and 1 seeds" in outcome.unanswered[0].source
    seeds = [
        [replace(one, seed=k) for k, one in enumerate(rounds(value))] for value in (0.08, 0.06)
    ]
    outcome = gate.judge(*(side({NUTS: some}) for some in seeds))
    assert verdicts(outcome)["ordered", "ess_per_gradient"] == "regressed"


def test_a_seed_that_repeats_is_no_change_however_noisy_seeds_are():
    outcome = gate.judge(side({NUTS: [TYPICAL]}), side({NUTS: [dict(TYPICAL)]}))
    (found,) = [one for one in outcome.judgements if one.metric == "ess_per_gradient"]
    assert (found.verdict, found.source) == ("equivalent", "repeats, seed by seed")
    other = TYPICAL | {"ess_per_gradient": 0.0805}
    outcome = gate.judge(side({NUTS: [TYPICAL]}), side({NUTS: [other]}))
    assert verdicts(outcome)["ordered", "ess_per_gradient"] == "inconclusive"


def test_a_wrong_density_is_certain_and_rounding_is_none():
    base = side({NUTS: [TYPICAL]})
    outcome = gate.judge(base, side({NUTS: [TYPICAL | {"density_error": 3e-10}]}))
    assert "density_error" in {one.metric for one in outcome.regressed}
    outcome = gate.judge(base, side({NUTS: [TYPICAL | {"density_error": 9e-14}]}))
    assert verdicts(outcome)["ordered", "density_error"] == "equivalent"


def test_a_limit_that_is_crossed_within_the_band_is_not_equivalent():
    def rhats(*values):
        return side({NUTS: [TYPICAL | {"rhat_relabelled": value} for value in values]})

    base = rhats(1.0080, 1.0081, 1.0082)
    outcome = gate.judge(base, rhats(1.0110, 1.0112, 1.0113))
    assert verdicts(outcome)["ordered", "rhat_relabelled"] == "regressed"
    assert "limit of 1.01" in outcome.regressed[0].remark
    below = gate.judge(base, rhats(1.0090, 1.0092, 1.0093))
    assert verdicts(below)["ordered", "rhat_relabelled"] == "equivalent"
    by_chance = gate.judge(rhats(1.0095), rhats(1.0101))
    assert verdicts(by_chance)["ordered", "rhat_relabelled"] == "inconclusive"


def test_timings_of_two_machines_are_no_evidence_unless_asked_for():
    slow = runs(seed=2, seconds_per_gradient=2.0, ess_per_gradient=0.5)
    base, new = side({NUTS: runs()}), side({NUTS: slow}, machines=("another",))
    outcome = gate.judge(base, new)
    assert {one.metric for one in outcome.regressed} == {"ess_per_gradient"}
    assert "seconds_per_gradient" not in {one.metric for one in outcome.judgements}
    assert "1 timings are no evidence" in outcome.refused
    assert "another" in outcome.refused
    outcome = gate.judge(base, new, across_machines=True)
    assert {one.metric for one in outcome.regressed} == {"ess_per_gradient", "seconds_per_gradient"}
    assert not outcome.refused


@pytest.mark.parametrize("machines", [(), ("a machine", "another")])
def test_an_unknown_machine_or_several_are_not_the_same(machines):
    both = side({NUTS: runs()}, machines=machines)
    assert gate.judge(both, both).refused


def test_a_gate_with_timings_of_two_machines_alone_has_measured_nothing():
    base = side({NUTS: [{"sample_s": 1.0}]})
    outcome = gate.judge(base, side({NUTS: [{"sample_s": 1.0}]}, machines=("another",)))
    assert outcome.verdict == "not measured"


def test_cases_missing_from_either_side_are_named():
    base, new = side({NUTS: runs(), FREE: runs()}), side({NUTS: runs(), ADVI: [{"gap": 0.01}]})
    outcome = gate.judge(base, new)
    named = {(fault.side, fault.key.model, fault.key.method) for fault in outcome.faults}
    assert named == {("NEW", "unordered", "nuts"), ("BASELINE", "ordered", "advi-matched")}
    assert outcome.verdict == "not measured"


def test_a_case_of_other_settings_is_another_case():
    other = replace(NUTS, settings="draws=5000")
    outcome = gate.judge(side({NUTS: runs()}), side({other: runs()}))
    assert "other settings" in outcome.faults[0].message
    assert not outcome.judgements


def test_stacks_pair_releases_and_many_pair_by_name():
    old, new = replace(NUTS, stack="pymc-v1"), replace(NUTS, stack="pymc-v2")
    assert gate.judge(side({old: runs()}), side({new: runs()})).verdict == "fine"
    both = gate.judge(side({old: runs(), new: runs()}), side({old: runs(), new: runs()}))
    assert {one.key.stack for one in both.judgements} == {"pymc-v1", "pymc-v2"}
    outcome = gate.judge(side({old: runs(), new: runs()}), side({new: runs()}))
    assert [fault.key.stack for fault in outcome.faults] == ["pymc-v1"]


@pytest.mark.parametrize("key", [NUTS, FREE, ADVI])
def test_what_became_invalid_is_not_measured(key):
    wrong = [Replicate("0", 0, {"ess_bulk": 100.0}, ("bias: 9 MCSE off",))]
    outcome = gate.judge(side({key: runs()}), side({key: wrong}))
    assert outcome.verdict == "not measured"
    assert outcome.faults[0].message == "bias: 9 MCSE off"
    assert not outcome.judgements


def test_a_baseline_that_is_invalid_fails_only_where_it_must_be_right():
    wrong = [Replicate("0", 0, {}, ("not enough evidence",))]
    must = gate.judge(side({NUTS: wrong}), side({NUTS: runs()}))
    assert [fault.side for fault in must.faults] == ["BASELINE"]
    may = gate.judge(side({NUTS: runs(), FREE: wrong}), side({NUTS: runs(), FREE: runs()}))
    assert not may.faults
    assert "not enough evidence" in may.notes[0]


def test_a_metric_that_is_lost_is_a_fault_and_one_that_is_won_is_not():
    base, new = side({NUTS: [TYPICAL]}), side({NUTS: [TYPICAL | {"divergences": None}]})
    told = side({NUTS: [TYPICAL | {"divergences": 0.0}]})
    assert gate.judge(told, new).faults[0].message == "divergences is not told any more"
    assert not gate.judge(base, told).faults


def test_a_regression_stands_whatever_could_not_be_measured():
    slow = runs(seed=2, seconds_per_gradient=2.0)
    outcome = gate.judge(side({NUTS: runs(), FREE: runs()}), side({NUTS: slow}))
    assert outcome.faults
    assert outcome.verdict == "regressed"


def test_chains_that_do_not_mix_tell_nothing_by_their_labels():
    def free(rhat, occupancy_error):
        labels = {"rhat": rhat, "occupancy_error": occupancy_error, "mode_switches": 0.5}
        return side({FREE: [TYPICAL | labels]})

    stuck = gate.judge(free(1.0, 0.5), free(1.73, 0.5))
    assert not {"rhat", "occupancy_error", "mode_switches"} & {o.metric for o in stuck.judgements}
    mixing = gate.judge(free(1.002, 0.02), free(1.73, 0.5))
    assert {"rhat", "occupancy_error"} <= {one.metric for one in mixing.regressed}
    ordered = gate.judge(
        side({NUTS: [TYPICAL | {"rhat": 1.002}]}), side({NUTS: [TYPICAL | {"rhat": 1.73}]})
    )
    assert "rhat" in {one.metric for one in ordered.regressed}


def test_zero_has_no_ratio():
    zero, some = side({NUTS: [{"compile_s": 0.0}]}), side({NUTS: [{"compile_s": 3.0}]})
    outcome = gate.judge(zero, some)
    assert "zero has no ratio" in outcome.notes[0]
    assert outcome.verdict == "not measured"
    assert not gate.judge(zero, zero).notes


def test_the_band_is_that_of_timings():
    base, new = side({NUTS: runs()}), side({NUTS: runs(seed=2, seconds_per_gradient=1.15)})
    assert gate.judge(base, new, band=0.05).regressed
    assert gate.judge(base, new, band=0.3).verdict == "fine"


def test_moments_are_not_judged():
    def took(seconds):
        return side({NUTS: [TYPICAL | {"build_s": seconds}]})

    assert ("ordered", "build_s") not in verdicts(gate.judge(took(0.001), took(0.015)))
    said = verdicts(gate.judge(took(0.001), took(0.1)))
    assert said["ordered", "build_s"] == "regressed"


def test_what_is_worse_by_itself_may_be_chance_among_many():
    def clocks(logs, **others):
        found = [{"seconds_per_gradient": math.exp(log)} | others for log in logs]
        return side({NUTS: found})

    # A mean of 0.14 with t = 4.6 of 2 degrees of freedom: p = 0.022.
    alone = gate.judge(clocks([0.0, 0.0, 0.0]), clocks([0.10, 0.12, 0.20]))
    assert verdicts(alone)["ordered", "seconds_per_gradient"] == "regressed"
    noisy = ({"compile_s": value} for value in (1.0, 1.02, 0.99))
    many = clocks([0.10, 0.12, 0.20])
    (key, runs_of_it) = next(iter(many.cases.items()))
    more = {
        key: tuple(
            replace(one, metrics=one.metrics | other)
            for one, other in zip(runs_of_it, noisy, strict=True)
        )
    }
    among = gate.judge(clocks([0.0, 0.0, 0.0], compile_s=1.0), replace(many, cases=more))
    (found,) = [one for one in among.judgements if one.metric == "seconds_per_gradient"]
    assert found.verdict == "inconclusive"
    assert "so many comparisons" in found.remark
    assert found in among.unanswered


def test_versions_that_differ_are_told():
    base = side({NUTS: runs()}, versions={"pymc": "6.3.2", "numpy": "2.0", "six": "1"})
    new = side({NUTS: runs()}, versions={"pymc": "6.4.0", "numpy": "2.0"})
    assert gate.judge(base, new).changed == ("pymc 6.3.2 → 6.4.0", "six 1 → none")


def alarms(noise, slowdown, count=100):
    """Share of gates over 7 rounds of 28 comparisons that find something worse."""
    names = [one.metric for one in TOLERANCES.values() if one.machine and one.scale == "ratio"]
    rng = np.random.default_rng(1)

    def one(factor):
        logs = noise * rng.standard_normal((7, len(names)))
        logs[:, names.index("seconds_per_gradient")] += math.log(factor)
        return [dict(zip(names, row, strict=True)) for row in np.exp(logs).tolist()]

    cases = (NUTS, FREE)
    found = 0
    for _ in range(count):
        base = side({key: one(1.0) for key in cases})
        new = side({key: one(slowdown if key == NUTS else 1.0) for key in cases})
        found += gate.judge(base, new).verdict == "regressed"
    return found / count


@pytest.mark.parametrize("noise", [0.03, 0.05])
def test_false_alarms_are_rare(noise):
    assert alarms(noise, 1.0) <= 0.02


def test_a_slowdown_is_found():
    assert alarms(0.05, 1.15) >= 0.75
    assert alarms(0.03, 1.15) >= 0.98


def test_without_holm_false_alarms_are_not_rare(monkeypatch):
    monkeypatch.setattr("gmixbench.ruler.contrasts.holm", list)
    assert alarms(0.10, 1.0, count=60) > 0.1

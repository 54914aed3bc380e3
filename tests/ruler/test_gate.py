"""The gate's judgement: what it finds, what it leaves alone, and what it can't judge."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.ruler import gate
from gmixbench.ruler.contrasts import ALPHA
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.sides import Key, Replicate, Side
from gmixbench.ruler.tolerances import REACH, TIMED, TOLERANCES

NUTS = Key("close", "ordered", "pymc", "nuts", "draws=1000", "here")
FREE = replace(NUTS, model="unordered")
ADVI = replace(NUTS, method="advi-matched", settings="steps=15000")

DO_NOT_MIX = "the baseline's chains do not mix"

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


BIASED, THIN = "bias: 4.7 MCSE off", "not enough evidence: ESS 390"


def spoilt(count, *faults, seed=1):
    """Runs of which the first have a fault each."""
    good = side({NUTS: runs(count, seed=seed)}).cases[NUTS]
    bad = [replace(one, metrics={}, faults=(why,)) for one, why in zip(good, faults, strict=False)]
    return side({NUTS: [*bad, *good[len(bad) :]]})


@pytest.mark.parametrize("fault", [BIASED, THIN])
def test_a_run_that_is_invalid_by_chance_is_left_out_and_told(fault):
    base = spoilt(7)
    outcome = gate.judge(base, spoilt(7, fault, seed=2))
    assert outcome.verdict == "fine"
    told = "close ordered pymc nuts: left out of NEW, 1 of 7 runs: " + fault
    assert outcome.notes == (told,)
    assert outcome.judgements[0].source == "6 pairs of runs"
    backwards = gate.judge(spoilt(7, fault, seed=2), base)
    assert backwards.verdict == "fine"
    assert "left out of BASELINE" in backwards.notes[0]


@pytest.mark.parametrize(
    ("count", "faults"),
    [
        (7, [BIASED] * 7),
        (7, [BIASED, BIASED]),
        (7, [BIASED, THIN]),
        (7, ["density_error 3e-10 exceeds 1e-10"]),
        (7, [BIASED, "crash: signal 11"]),
        (7, ["some draws are not finite"]),
        (3, [BIASED]),  # two are left, which can't speak for themselves
        (1, [BIASED]),
    ],
)
def test_more_than_chance_explains_is_a_fault(count, faults):
    good, bad = spoilt(count), spoilt(count, *faults, seed=2)
    for sides in ((good, bad), (bad, good)):
        outcome = gate.judge(*sides)
        assert outcome.verdict == "not measured"
        certain = [fault for fault in faults if fault not in (BIASED, THIN)]
        assert outcome.faults[0].message.endswith((certain or faults)[0])
    assert gate.unfit(bad)
    assert not gate.unfit(good)


def test_what_is_left_out_does_not_hide_what_became_slower():
    bad, *good = spoilt(7, BIASED, seed=2).cases[NUTS]
    slow = [replace(one, metrics=TYPICAL | {"seconds_per_gradient": 6e-5}) for one in good]
    outcome = gate.judge(spoilt(7), side({NUTS: [bad, *slow]}))
    assert [one.metric for one in outcome.regressed] == ["seconds_per_gradient"]


def test_a_baseline_that_is_invalid_fails_only_where_it_must_be_right():
    wrong = [Replicate("0", 0, {}, ("not enough evidence",))]
    must = gate.judge(side({NUTS: wrong}), side({NUTS: runs()}))
    assert [fault.side for fault in must.faults] == ["BASELINE"]
    may = gate.judge(side({NUTS: runs(), FREE: wrong}), side({NUTS: runs(), FREE: runs()}))
    assert not may.faults
    assert "not enough evidence" in may.notes[0]


DENSITY, CRASH = "density_error 3e-10 exceeds 1e-10", "crash: signal 11"


@pytest.mark.parametrize("key", [FREE, replace(FREE, method="advi-library")])
@pytest.mark.parametrize(
    ("faults", "fails"),
    [
        ([DENSITY] * 7, True),
        ([CRASH] * 7, True),
        ([THIN, CRASH], True),
        ([BIASED] * 7, True),
        ([THIN] * 7, False),
        ([], False),
    ],
)
def test_an_invalid_baseline_hides_no_fault_of_what_is_new(key, faults, fails):
    def spoilt_free(faults):
        (found,) = spoilt(7, *faults).cases.values()
        return side({NUTS: runs(7), key: found})

    for bad in ([THIN] * 7, [CRASH] * 7):
        outcome = gate.judge(spoilt_free(bad), spoilt_free(faults))
        assert [fault.side for fault in outcome.faults] == (["NEW"] if fails else [])
        assert outcome.verdict == ("not measured" if fails else "fine")
        assert fails or "the baseline is invalid" in outcome.notes[0]


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
    (told,) = stuck.notes
    names = "rhat, occupancy_error, mode_switches"
    assert told == f"close unordered pymc nuts: {names} not judged, {DO_NOT_MIX}"
    mixing = gate.judge(free(1.002, 0.02), free(1.73, 0.5))
    assert not mixing.notes
    assert {"rhat", "occupancy_error"} <= {one.metric for one in mixing.regressed}
    ordered = gate.judge(
        side({NUTS: [TYPICAL | {"rhat": 1.002}]}), side({NUTS: [TYPICAL | {"rhat": 1.73}]})
    )
    assert "rhat" in {one.metric for one in ordered.regressed}


def test_zero_has_no_ratio():
    zero, some = side({NUTS: [{"compile_s": 0.0}]}), side({NUTS: [{"compile_s": 3.0}]})
    outcome = gate.judge(zero, some)
    (fault,) = outcome.faults
    assert fault.side == "BASELINE"
    assert fault.message == "compile_s is zero in 1 of 1 runs, and zero has no ratio"
    assert outcome.verdict == "not measured"
    assert gate.judge(some, zero).faults[0].side == "NEW"
    assert not gate.judge(zero, zero).faults


def test_a_single_zero_hides_nothing_and_two_are_a_fault():
    def compiled(*seconds):
        return side({NUTS: [TYPICAL | {"compile_s": value} for value in seconds]})

    base = compiled(1.0, 1.01, 0.99, 1.0, 1.02, 1.0, 1.0)
    outcome = gate.judge(base, compiled(10.0, 10.1, 9.9, 10.0, 10.2, 10.0, 0.0))
    assert [one.metric for one in outcome.regressed] == ["compile_s"]
    assert "left out of NEW, compile_s is zero in 1 of 7 runs" in outcome.notes[0]
    assert gate.judge(base, compiled(1.0, 1.01, 0.99, 1.0, 1.02, 1.0, 0.0)).verdict == "fine"
    twice = gate.judge(base, compiled(1.0, 1.01, 0.99, 1.0, 1.02, 0.0, 0.0))
    assert "compile_s is zero in 2 of 7 runs" in twice.faults[0].message
    few = gate.judge(compiled(1.0, 1.0, 1.0), compiled(1.0, 1.0, 0.0))
    assert few.verdict == "not measured"


def test_what_is_told_by_few_runs_is_a_fault():
    def told(count):
        found = [TYPICAL | {"compile_s": 1.0 + 0.01 * k if k < count else None} for k in range(7)]
        return side({NUTS: found})

    (fault,) = gate.judge(told(7), told(2)).faults
    assert fault.message == "compile_s is told by 2 of 7 runs, of the baseline's by all but 0"
    assert gate.judge(told(7), told(5)).faults
    assert not gate.judge(told(7), told(6)).faults
    assert not gate.judge(told(2), told(2)).faults
    assert not gate.judge(told(2), told(7)).faults


LONGER = {
    "gradients_sample": 3.0,
    "draws_per_second": 1 / 3,
    "sample_s": 3.0,
    "warmup_s": 3.0,
    "ess_per_gradient": 2.0,
    "ess_per_second": 2.0,
    "time_to_ess_1000": 1.0,
}
"""Trees three times longer, and twice the ESS a second."""


def trees(**factors):
    """Seven runs with all that longer trees change, times some factors."""
    names = (*LONGER, "seconds_per_gradient")
    rng = np.random.default_rng(len(factors))

    def one():
        noise = np.exp(0.01 * rng.standard_normal(len(names)))
        return TYPICAL | {
            name: float(factor) * factors.get(name, 1.0)
            for name, factor in zip(names, noise, strict=True)
        }

    return side({NUTS: [one() for _ in range(7)]})


def test_longer_trees_that_pay_for_themselves_are_no_regression():
    outcome = gate.judge(trees(), trees(**LONGER))
    assert outcome.verdict == "fine"
    paid = {"gradients_sample", "draws_per_second", "sample_s", "warmup_s"}
    assert {one.metric for one in outcome.paid} == paid
    assert {one.verdict for one in outcome.paid} == {"regressed"}
    assert all("paid for by" in one.remark for one in outcome.paid)


@pytest.mark.parametrize(
    "changes",
    [
        {"ess_per_second": 1 / 3, "ess_per_gradient": 1 / 3},  # they don't pay
        {"ess_per_second": 0.8},
        {"seconds_per_gradient": 1.3},
        {"gradients_sample": 1.0},  # they are not longer
    ],
)
def test_what_nothing_pays_for_fails(changes):
    outcome = gate.judge(trees(), trees(**LONGER | changes))
    assert outcome.verdict == "regressed"
    assert "sample_s" in {one.metric for one in outcome.regressed}


def test_a_slower_warm_up_is_paid_for_by_the_time_that_all_takes():
    outcome = gate.judge(trees(), trees(**LONGER | {"time_to_ess_1000": 1.2}))
    assert {one.metric for one in outcome.regressed} == {"time_to_ess_1000", "warmup_s"}


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


LOUD = 0.10
"""Noise at which so many comparisons cry wolf, unless their number is known."""


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


@pytest.mark.parametrize("noise", [0.03, 0.05, LOUD])
def test_false_alarms_are_rare(noise):
    assert alarms(noise, 1.0) <= sum(ALPHA.values())


def test_without_holm_false_alarms_are_not_rare(monkeypatch):
    monkeypatch.setattr("gmixbench.ruler.contrasts.holm", list)
    assert alarms(LOUD, 1.0) > 3 * sum(ALPHA.values())


def test_a_slowdown_is_found():
    assert alarms(0.05, 1.15) >= 0.75
    assert alarms(0.03, 1.15) >= 0.98


PYMC = (0.0231, 0.0458, 0.0265, 0.0462, 0.0135, 0.0315)
PYMC3 = (0.0407, 0.0293, 0.0330, 0.0260, 0.0339, 0.0251, 0.0257, 0.0234, 0.0340)
"""ESS per gradient of `ordered` in the project's own history, each random stream once."""


def new_streams(factor, ess=PYMC + PYMC3, count=300, rounds=7):
    """Share of each verdict where no random stream is shared and the new ESS is so many times."""
    rng = np.random.default_rng(2)

    def one(by):
        drawn = by * rng.choice(ess, rounds)
        return side({NUTS: [TYPICAL | {"ess_per_gradient": float(value)} for value in drawn]})

    said = [gate.judge(one(1.0), one(factor)).verdict for _ in range(count)]
    return {word: said.count(word) / count for word in ("fine", "regressed", "inconclusive")}


def test_a_new_random_stream_is_fine_and_a_sampler_worse_by_half_is_not():
    assert new_streams(1.0)["fine"] >= 0.95
    assert new_streams(1.0)["regressed"] <= ALPHA[True]
    assert new_streams(0.5)["regressed"] >= 0.8
    assert new_streams(0.5)["fine"] <= 0.05
    assert new_streams(0.5, PYMC)["fine"] <= 0.05  # the noisiest


def test_a_shorter_reach_has_no_answer_and_a_longer_one_is_blind(monkeypatch):
    row = TOLERANCES["ess_per_gradient"]
    monkeypatch.setitem(TOLERANCES, "ess_per_gradient", replace(row, reach=REACH))
    assert new_streams(1.0)["inconclusive"] > 0.3
    monkeypatch.setitem(TOLERANCES, "ess_per_gradient", replace(row, reach=2 * row.reach))
    assert new_streams(0.5, PYMC)["fine"] > 0.1


def test_seeds_are_pairs_only_where_a_random_stream_repeats():
    def seeds(*values):
        return side({NUTS: [TYPICAL | {"ess_per_gradient": value} for value in values]})

    def source(old, new):
        found = gate.judge(seeds(*old), seeds(*new)).judgements
        return next(one.source for one in found if one.metric == "ess_per_gradient")

    base = (0.03, 0.05, 0.04, 0.045)
    assert source(base, (0.031, 0.04, 0.05, 0.044)) == "4 and 4 seeds"
    assert source(base, (0.03, 0.05, 0.04, 0.044)) == "4 pairs of seeds"
    assert source(base, base) == "repeats, seed by seed"
    assert source(base, base[:3]) == "repeats, seed by seed"  # one was left out
    assert source(base, base[:2]) == "4 and 2 seeds, assumed noise 0.63"


def test_seeds_that_the_baseline_never_ran_count():
    def rhats(*values):
        return side({NUTS: [TYPICAL | {"rhat_relabelled": value} for value in values]})

    base = (1.001, 1.002, 1.0015, 1.001, 1.002, 1.003, 1.001)
    outcome = gate.judge(rhats(*base), rhats(*base, 1.3, 1.3, 1.3))
    assert outcome.verdict != "fine"
    (found,) = [one for one in outcome.judgements if one.metric == "rhat_relabelled"]
    assert found.source == "7 and 10 seeds"


def test_rounds_that_the_baseline_never_ran_count():
    base = runs(7)
    slow = runs(3, seed=2, seconds_per_gradient=3.0)
    outcome = gate.judge(side({NUTS: base}), side({NUTS: [*base, *slow]}))
    assert outcome.verdict != "fine"
    sources = {one.metric: one.source for one in outcome.judgements}
    assert sources["seconds_per_gradient"] == "7 and 10 runs"


def test_the_partner_of_a_run_that_was_left_out_stays_out():
    base, new = spoilt(7, BIASED), spoilt(7)
    outcome = gate.judge(base, new)
    assert {one.source for one in outcome.judgements} == {
        "6 pairs of runs",
        "repeats, seed by seed",
    }


def test_strangers_are_told():
    base = side({NUTS: runs()})
    outcome = gate.judge(base, replace(base, strangers=2))
    assert outcome.notes == ("2 benchmarks that the gate does not know: not judged",)


def test_one_chain_that_does_not_mix_makes_labels_a_lottery():
    def free(*errors):
        found = [TYPICAL | {"rhat": 1.01, "occupancy_error": error} for error in errors]
        return side({FREE: found})

    mixed, partly = free(0.02, 0.03, 0.02), free(0.02, 0.03, 0.4)
    assert not gate.judge(mixed, mixed).notes
    assert DO_NOT_MIX in gate.judge(partly, mixed).notes[0]

"""Change points on planted histories: what must be seen, and what must not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, norm

from gmixbench.ruler import series as series_of_ruler
from gmixbench.ruler.changes import Findings, Notice, Series
from gmixbench.ruler.dependencies import changed
from gmixbench.ruler.find import find
from gmixbench.ruler.history import History, Measurement, Release, Session
from gmixbench.ruler.joining import Layout
from gmixbench.ruler.segments import (
    CONFIDENCE,
    centres,
    critical_penalty,
    noise_of,
    segment,
    shows_change,
)
from gmixbench.ruler.streams import entries, noises
from gmixbench.ruler.tracked import TRACKED
from gmixbench.spec import MODELS, Case, NutsSettings

METRIC = "seconds_per_gradient"


@pytest.fixture(autouse=True)
def _as_one_series_of_many(monkeypatch):
    # A history of one series would spend all alarms of a page on it.
    monkeypatch.setattr("gmixbench.ruler.series.PAGE_ALARMS", 0.001)


def session(name, anchors=(), rounds=()):
    return Session(name, "2026-01-01", {}, anchors, (), rounds, "close", ("ordered",), ("nuts",))


def history(values, *, sessions=None, metric=METRIC, method="nuts"):
    """History of one library: `values` has shape (releases, rounds), NaN where not measured."""
    values = np.asarray(values, dtype=float)
    releases = tuple(
        Release(
            f"pymc-v{k}", "pymc", "pymc", str(k), f"2020-01-{k + 1:02}", "3.12", {"pymc": f"{k}"}
        )
        for k in range(len(values))
    )
    sessions = sessions or (session("first"),)
    names = [s.name for s in sessions for _ in s.rounds or range(values.shape[1])]
    measurements = tuple(
        Measurement(
            case=Case("close", MODELS["ordered"], "pymc", method, NutsSettings(), f"pymc-v{k}", r),
            session=names[r],
            round=r,
            began="2026-01-01",
            lock="0",
            valid=True,
            converged=None if method == "nuts" else True,
            metrics={metric: value, "density_error": 1e-15, "density_constant": 0.0},
        )
        for (k, r), value in np.ndenumerate(values)
        if np.isfinite(value)
    )
    return History("quick", releases, sessions, measurements)


def noisy(levels, rounds=3, noise=0.05, seed=1):
    """Values of releases with given levels, and that much noise in their logarithm."""
    rng = np.random.default_rng(seed)
    return np.exp(np.log(levels)[:, None] + noise * rng.standard_normal((len(levels), rounds)))


def only(findings: Findings) -> Series:
    (series,) = findings.series
    return series


def edit(some: History, stack: str, **fields) -> History:
    return replace(
        some,
        measurements=tuple(
            replace(item, **fields) if item.case.stack == stack else item
            for item in some.measurements
        ),
    )


def test_a_step_is_found_at_its_release():
    levels = np.where(np.arange(20) < 12, 1.0, 1.2)
    (change,) = only(find(history(noisy(levels)))).changes
    assert (change.before, change.stack, change.verdict) == ("pymc-v11", "pymc-v12", "regressed")
    # The median of three normals has variance 0.449; z at a level of 1e-6.
    error = 0.05 * np.sqrt(0.449 * (1 / 12 + 1 / 8))
    assert abs(np.log(change.effect[0] / 1.2)) < norm.isf(0.5e-6) * error
    assert 1.0 < change.effect[1] < change.effect[0] < change.effect[2]
    assert change.step[2] / change.step[1] > change.effect[2] / change.effect[1]
    assert change.dependencies == ("pymc 11 → 12",)


def test_intervals_cover_the_truth():
    layout, trials = Layout(tuple(np.repeat(np.arange(20), 3).tolist()), (0,) * 60), 60
    late = np.arange(20) >= 12
    effect = late / 8 - ~late / 12
    step = np.eye(20)[12] - np.eye(20)[11]
    covered = np.zeros(2)
    for seed in range(trials):
        values = np.log(noisy(np.where(late, 1.2, 1.0), seed=[seed, 2])).ravel()
        noise, centre = noise_of(values, layout, 0.05), centres(values[:, None], layout)
        for k, contrast in enumerate((effect, step)):
            off = abs(contrast @ centre.values[:, 0] - np.log(1.2))
            covered[k] += off <= noise.half_width(contrast, centre.noise[0])
    assert np.all(covered >= binom.ppf(1e-6, trials, CONFIDENCE))
    assert np.all(covered >= 0.9 * trials)


def test_the_direction_is_the_metrics_own():
    levels = np.where(np.arange(12) < 6, 1.0, 2.0)
    some = history(noisy(levels), metric="steps_per_second", method="advi-matched")
    series = only(find(some))
    assert [change.verdict for change in series.changes] == ["improved"]


def test_a_single_bad_release_is_found_and_the_recovery_after_it():
    levels = np.where(np.arange(15) == 7, 2.0, 1.0)
    changes = only(find(history(noisy(levels)))).changes
    assert [(c.stack, c.verdict) for c in changes] == [
        ("pymc-v7", "regressed"),
        ("pymc-v8", "improved"),
    ]


def test_one_disturbed_round_is_no_change():
    values = noisy(np.ones(20))
    values[9, 1] *= 1.75
    series = only(find(history(values)))
    assert series.changes == ()
    assert series.centre[9][0] == pytest.approx(np.median(values[9]))
    values[9, [0, 2]] *= 1.75  # the control: all its rounds
    assert [c.stack for c in only(find(history(values))).changes] == ["pymc-v9", "pymc-v10"]


@pytest.mark.parametrize("releases", [4, 12])
def test_alarms_on_histories_without_a_change_are_no_more_than_stated(releases):
    alpha, trials, rounds = 0.05, 100, 3
    layout = Layout(
        tuple(np.repeat(np.arange(releases), rounds).tolist()), (0,) * releases * rounds
    )
    alarms = 0
    for seed in range(trials):
        values = np.random.default_rng([seed, 1]).standard_normal(releases * rounds)
        noise = noise_of(values, layout, alpha)
        studentized = centres(values[:, None], layout).studentized[:, 0]
        alarms += bool(segment(studentized, noise.penalty))
        if seed < 3:
            # The penalty is itself a quantile of 1,000 histories: hence the factor.
            assert noise.false_alarms(0.0) <= binom.isf(1e-6, 1000, 1.5 * alpha) / 1000
    assert alarms <= binom.isf(1e-6, trials, alpha)


def test_a_penalty_too_small_gives_alarms():
    values = np.random.default_rng(0).standard_normal(60)
    layout = Layout(tuple(np.repeat(np.arange(20), 3).tolist()), (0,) * 60)
    noise = noise_of(values, layout, 0.05)
    assert shows_change(noise.fresh.studentized, noise.penalty / 4).mean() > 0.5


def test_the_partition_of_many_histories_agrees_with_pelt():
    rng = np.random.default_rng(0)
    many = rng.standard_normal((9, 40))
    many[4:, ::2] += 1.0
    exact = critical_penalty(many, np.zeros(40))
    for k in range(40):
        assert segment(many[:, k], exact[k] * 0.999)
        assert not segment(many[:, k], exact[k] * 1.001)


def two_sessions(*, joined):
    """Eight releases, the last two measured later on a machine 1.5 times slower."""
    anchors = ("pymc-v0", "pymc-v5")
    values = np.full((8, 6), np.nan)
    values[:6, :3] = noisy(np.ones(6), seed=1)
    values[[0, 5, 6, 7], 3:] = 1.5 * noisy(np.ones(4), seed=2)
    first = session("first", anchors, (0, 1, 2))
    later = session("later", anchors if joined else (), (3, 4, 5))
    return history(values, sessions=(first, later))


def test_sessions_are_joined_at_their_anchors():
    findings = find(two_sessions(joined=True))
    series = only(findings)
    assert series.changes == ()
    assert findings.notices == ()
    for estimate, low, high in series.centre:
        assert low <= 1.0 <= high
        assert estimate == pytest.approx(1.0, abs=0.15)


def test_unjoined_sessions_would_show_a_false_change():
    some = two_sessions(joined=True)
    as_one = replace(
        some,
        sessions=some.sessions[:1],
        measurements=tuple(
            replace(item, session="first")
            for item in some.measurements
            if item.round < 3 or item.case.stack in {"pymc-v6", "pymc-v7"}
        ),
    )
    assert [c.stack for c in only(find(as_one)).changes] == ["pymc-v6"]


def test_a_session_without_anchors_is_left_out_and_told():
    findings = find(two_sessions(joined=False))
    series = only(findings)
    assert series.centre[6:] == (None, None)
    assert series.values[6:] == ((), ())
    assert {(n.stack, n.kind) for n in findings.notices} == {
        (f"pymc-v{k}", "unjoined") for k in (0, 5, 6, 7)
    }
    failed = {"failure": "crash", "valid": False, "metrics": None}
    kinds = [n.kind for n in find(edit(two_sessions(joined=False), "pymc-v7", **failed)).notices]
    assert kinds == ["failed", *["unjoined"] * 3]  # the gravest first


def test_anchors_that_disagree_widen_the_intervals():
    agreeing = two_sessions(joined=True)
    disagreeing = replace(
        agreeing,
        measurements=tuple(
            replace(item, metrics={**item.metrics, METRIC: item.metrics[METRIC] * 1.6})
            if item.session == "later" and item.case.stack == "pymc-v0"
            else item
            for item in agreeing.measurements
        ),
    )

    def widths(some):
        centre = only(find(some)).centre
        return np.array([np.log(high / low) for _, low, high in (centre[7], centre[2])])

    wide, narrow = widths(disagreeing), widths(agreeing)
    assert wide[0] > 1.5 * narrow[0]
    # And those of the later session more, by what their anchors disagree beyond all noise.
    assert wide[0] / wide[1] > 1.2 * narrow[0] / narrow[1]


@pytest.mark.parametrize("metric", ["ess_per_gradient", "peak_memory"])
def test_what_no_machine_decides_is_not_rescaled(metric):
    some = two_sessions(joined=True)
    counts = replace(
        some,
        measurements=tuple(
            replace(item, metrics={metric: item.metrics[METRIC]}) for item in some.measurements
        ),
    )
    assert np.median(only(find(counts)).values[7]) > 1.3


def test_a_wrong_jacobian_is_the_first_notice_and_shows_no_speed():
    some = history(noisy(np.ones(6)))
    reason = "density_error 0.3 exceeds 1e-10: log density or gradient is not the model's"
    metrics = {METRIC: 1.0, "rhat": 1.0, "density_error": 0.3, "density_constant": 0.0}
    some = edit(some, "pymc-v1", shims=("old-name",))
    wrong = edit(some, "pymc-v4", valid=False, reasons=(reason,), metrics=metrics)
    findings = find(wrong)
    assert findings.notices[0] == Notice(
        "pymc", "pymc-v4", "density", ("ordered nuts",), (3, 3), reason
    )
    assert [(n.kind, n.stack) for n in findings.notices[1:]] == [("shim", "pymc-v1")]
    for series in findings.series:
        assert "pymc-v4" not in {s for s, v in zip(series.stacks, series.values, strict=True) if v}
    # It is looked at once more, should a verdict have missed it.
    missed = find(edit(some, "pymc-v4", metrics=metrics))
    assert missed.notices[0].kind == "density"
    assert not any(dict(zip(s.stacks, s.values, strict=True))["pymc-v4"] for s in missed.series)


def test_a_shim_is_told_where_it_begins():
    some = history(noisy(np.ones(6)))
    for stack in ("pymc-v1", "pymc-v2", "pymc-v4"):
        some = edit(some, stack, shims=("old-name",))
    some = edit(
        some, "pymc-v3", valid=False, failure="crash", metrics=None
    )  # of it nothing is known
    assert [n.stack for n in find(some).notices if n.kind == "shim"] == ["pymc-v1"]


def test_a_notice_counts_the_rounds_it_concerns():
    some = history(noisy(np.ones(4)))
    once = tuple(
        replace(item, valid=False, reasons=("bias: of one round",))
        if (item.case.stack, item.round) == ("pymc-v2", 1)
        else item
        for item in some.measurements
    )
    (notice,) = find(replace(some, measurements=once)).notices
    assert (notice.stack, notice.rounds) == ("pymc-v2", (1, 3))


@pytest.mark.parametrize("value", [0.0, np.inf, None])
def test_what_has_no_logarithm_stands_in_no_series(value):
    some = edit(history(noisy(np.ones(4))), "pymc-v2", metrics={METRIC: value})
    assert list(map(len, only(find(some)).values)) == [3, 3, 0, 3]


def test_what_is_alike_in_all_cases_is_followed_in_one():
    some = history(noisy(np.ones(4)), metric="import_s")
    other = tuple(
        replace(item, case=replace(item.case, model=MODELS["unordered"]))
        for item in some.measurements
    )
    assert only(find(replace(some, measurements=some.measurements + other))).metric == "import_s"


def test_invalid_and_failed_releases_are_told_once_and_out_of_every_series():
    some = history(noisy(np.where(np.arange(8) == 3, 9.0, 1.0)))
    reasons = (
        "bias: mean of the smaller mean is -0.61, exactly -0.88: 12.1 MCSE off, limit 5.3",
        "bias: sd of the larger mean is 0.3, exactly 0.17: 9.1 MCSE off, limit 5.3",
        "labels stuck: no mode switch in chain 1 (of 4)",
    )
    some = edit(some, "pymc-v3", valid=False, reasons=reasons)
    some = edit(some, "pymc-v5", valid=False, failure="exception: no such attribute", metrics=None)
    findings = find(some)
    assert [(n.kind, n.stack, n.rounds, n.message) for n in findings.notices] == [
        ("invalid", "pymc-v3", (3, 3), reasons[0]),
        ("failed", "pymc-v5", (3, 3), "exception: no such attribute"),
    ]
    series = only(findings)
    assert (series.centre[3], series.values[3], series.centre[5]) == (None, (), None)
    assert series.changes == ()


def test_matched_advi_that_has_not_converged_is_told():
    some = history(noisy(np.ones(4)), metric="steps_per_second", method="advi-matched")
    some = edit(some, "pymc-v2", converged=False)
    (notice,) = find(some).notices
    library = history(noisy(np.ones(4)), metric="steps_per_second", method="advi-library")
    assert find(edit(library, "pymc-v2", converged=False)).notices == ()  # no one promised it
    assert (notice.kind, notice.stack, notice.cases) == (
        "unconverged",
        "pymc-v2",
        ("ordered advi-matched",),
    )


@pytest.mark.parametrize("releases", [0, 1, 2, 3])
@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_short_histories(releases, rounds):
    values = noisy(np.ones(releases), rounds) if releases else np.ones((0, rounds))
    assert all(series.changes == () for series in find(history(values)).series)


def test_one_round_claims_nothing_and_judges_nothing():
    series = only(find(history(noisy(np.geomspace(1, 8, 6), rounds=1))))
    assert series.changes == ()
    assert series.false_alarms is None
    assert set(series.steps) == {None}
    assert all(low == estimate == high for estimate, low, high in series.centre)


def test_steps_have_intervals_though_no_change_is_seen():
    series = only(find(history(noisy(np.ones(6)))))
    assert series.steps[0] is None
    assert all(low < estimate < high and low < 1 < high for estimate, low, high in series.steps[1:])


def test_other_settings_are_another_thing():
    some = history(noisy(np.where(np.arange(8) < 4, 1.0, 2.0)))
    older = NutsSettings(draws=10)
    mixed = replace(
        some,
        measurements=tuple(
            replace(item, case=replace(item.case, settings=older))
            if item.case.stack in {f"pymc-v{k}" for k in range(4)}
            else item
            for item in some.measurements
        ),
    )
    assert only(find(some)).changes
    findings = find(mixed)
    series = only(findings)
    assert series.changes == ()
    assert series.values[:4] == ((),) * 4
    assert {(n.stack, n.kind) for n in findings.notices} == {
        (f"pymc-v{k}", "unjoined") for k in range(4)
    }
    assert all("other settings" in n.message for n in findings.notices)


def test_two_releases_are_told_apart_when_they_differ_and_not_when_they_do_not():
    rounds = 5
    apart = only(find(history(noisy(np.array([1.0, 2.0]), rounds))))
    assert [c.stack for c in apart.changes] == ["pymc-v1"]
    assert only(find(history(noisy(np.ones(2), rounds)))).changes == ()


def test_what_repeats_to_the_last_bit_changes_only_beyond_the_band():
    def changes(second):
        values = np.repeat([[1.0], [1.0], [second], [second]], 3, axis=1)
        return [c.stack for c in only(find(history(values, metric="ess_per_gradient"))).changes]

    assert changes(1.0) == changes(1.029) == []
    assert changes(1.031) == ["pymc-v2"]


def test_the_same_seeds_give_no_change_though_they_differ_among_themselves():
    values = np.repeat([[0.1, 0.2, 0.15]], 10, axis=0)
    series = only(find(history(values, metric="ess_per_gradient")))
    assert series.changes == ()
    assert series.centre[0][1] < 0.15 < series.centre[0][2]


def streamed(starts, seed, *, releases=30, noise=0.1, level=1.0, rounding=1e-13, machine=0.01):
    """History whose releases share their random streams; a new stream begins at each of `starts`.

    Measured in three rounds. The yield of a gradient has that much noise in its logarithm from the
    stream, and is `level` times higher from the middle of the history on.
    """
    rng = np.random.default_rng([seed, 5])
    stream = np.searchsorted(starts, np.arange(releases), side="right")
    late = (np.arange(releases) >= releases // 2)[:, None]
    own = noise * rng.standard_normal((len(starts) + 1, 3))[stream]
    given = np.exp(own + np.log(level) * late + rounding * rng.standard_normal(own.shape))
    cost = 1e-4 * np.exp(machine * rng.standard_normal(own.shape))
    count = rng.integers(20_000, 40_000, (len(starts) + 1, 3))[stream]
    some = history(given, metric="ess_per_gradient")
    told = iter(zip(given.ravel(), cost.ravel(), count.ravel(), strict=True))
    return replace(
        some,
        measurements=tuple(
            replace(
                item,
                metrics={
                    "ess_per_gradient": one,
                    "seconds_per_gradient": seconds,
                    "ess_per_second": one / seconds,
                    "rhat": 1.3 + one / 3,
                    "gradients_sample": float(gradients),
                },
            )
            for item, (one, seconds, gradients) in zip(some.measurements, told, strict=True)
        ),
    )


def changed_metrics(some):
    return {series.metric for series in find(some).series if series.changes}


@pytest.mark.parametrize(
    "starts", [[15], pytest.param([6, 12, 18, 24], marks=pytest.mark.slow)], ids=["one", "four"]
)
def test_another_random_stream_is_no_change(starts, monkeypatch):
    alpha, trials = 0.0125, 12
    monkeypatch.setattr("gmixbench.ruler.series.PAGE_ALARMS", alpha)
    alarms = [changed_metrics(streamed(starts, seed)) for seed in range(trials)]
    limit = binom.isf(1e-6, trials, alpha)
    assert sum(map(bool, alarms)) <= limit
    # The control: streams that are not known again.
    monkeypatch.setattr("gmixbench.ruler.threads.noises", lambda items: tuple(range(len(items))))
    alarms = [changed_metrics(streamed(starts, seed)) for seed in range(trials)]
    assert sum(map(bool, alarms)) > limit


def test_a_product_changes_only_where_a_factor_does(monkeypatch):
    some = streamed([15], 3, noise=0.3)
    assert changed_metrics(some) == set()
    products = [replace(one, factors=()) for one in TRACKED if one.metric == "ess_per_second"]
    monkeypatch.setattr("gmixbench.ruler.series.TRACKED", products)
    assert changed_metrics(some) == {"ess_per_second"}


def test_a_change_before_a_product_was_measured_is_none_of_it():
    some = streamed([5, 10, 15, 20, 25], 1, noise=0.05, level=1.3)
    for k in range(15):
        own = {i.round: i.metrics for i in some.measurements if i.case.stack == f"pymc-v{k}"}
        some = edit(some, f"pymc-v{k}", metrics=own[0] | {"ess_per_second": None})
    found = changed_metrics(some)
    assert "ess_per_gradient" in found
    assert "ess_per_second" not in found


def test_the_alarms_of_a_page_are_shared_out(monkeypatch):
    alphas, search = [], series_of_ruler.search

    def noted(thread, history, alpha):
        alphas.append(alpha)
        return search(thread, history, alpha)

    monkeypatch.setattr(series_of_ruler, "search", noted)
    series = find(streamed([3], 0, releases=6)).series
    products = [one for one in series if one.metric == "ess_per_second"]
    searched = len(series) - len(products)
    assert searched == 4
    assert set(alphas) == {series_of_ruler.PAGE_ALARMS / searched}


def test_a_changed_algorithm_is_found_among_changed_streams():
    some = streamed([5, 10, 15, 20, 25], 1, noise=0.05, level=1.3)
    found = {series.metric: series.changes for series in find(some).series}
    for metric in ("ess_per_gradient", "ess_per_second"):
        (change,) = found[metric]
        assert (change.before, change.stack, change.verdict) == ("pymc-v14", "pymc-v15", "improved")
        assert change.effect[1] < 1.3 < change.effect[2]
    assert found["seconds_per_gradient"] == ()


def test_a_stream_that_comes_back_is_the_same():
    values = np.exp(0.1 * np.random.default_rng(0).standard_normal((12, 3)))
    values[4:8] = values[4]
    values[:4] = values[8:] = values[0]
    items = history(values, metric="ess_per_gradient").measurements
    assert [*dict.fromkeys(noises(items))] == [*range(6)]
    releases, seeds = (np.repeat(np.arange(12), 3).tolist(), [0, 1, 2] * 12)
    assert entries(releases, seeds, noises(items)) == (0,) * 4 + (1,) * 4 + (2,) * 4


def test_streams_of_advi_are_known_by_its_gap():
    values = np.repeat([[0.01, 0.02, 0.03]], 4, axis=0)
    values[3] *= 1.01
    items = history(values, metric="gap", method="advi-matched").measurements
    assert noises(items) == (0, 1, 2) * 3 + (3, 4, 5)


def test_anchors_measured_again_under_their_seeds_are_no_new_evidence():
    def widths(again):
        values = noisy(np.ones(8))
        some = history(np.hstack([values, again(values)]), metric="ess_per_gradient")
        items = tuple(
            replace(item, case=replace(item.case, seed=item.round % 3))
            for item in some.measurements
        )
        return [high / low for _, low, high in only(find(replace(some, measurements=items))).centre]

    same, new = widths(np.copy), widths(lambda _: noisy(np.ones(8), seed=2))
    once = [
        high / low
        for _, low, high in only(find(history(noisy(np.ones(8)), metric="ess_per_gradient"))).centre
    ]
    assert same == once
    assert np.mean(new) < np.mean(once)


def test_dependencies_that_changed_stand_in_a_telling_order():
    old = {"pymc3": "3.11.5", "theano-pymc": "1.1.2", "zipp": "3.8", "numpy": "1.21", "same": "1"}
    new = {"pymc": "4.4.0", "aesara": "2.8.7", "attrs": "22", "numpy": "1.23", "same": "1"}
    before = Release("a", "pymc", "pymc3", "3.11.5", "2022-03-01", "3.9", old)
    after = Release("b", "pymc", "pymc", "4.4.0", "2022-12-01", "3.10", new)
    assert changed(before.versions, after.versions) == (
        "pymc3 3.11.5 → pymc 4.4.0",
        "theano-pymc 1.1.2 → aesara 2.8.7",
        "python 3.9 → 3.10",
        "numpy 1.21 → 1.23",
        "attrs none → 22",
        "zipp 3.8 → none",
    )


@pytest.mark.parametrize("metric", ["seconds_per_gradient", "rhat"])
def test_a_second_round_that_has_only_begun_tells_of_no_change(metric):
    rng = np.random.default_rng(7)
    values = 1.0 + 0.05 * rng.standard_normal((12, 2)) ** 2
    values[6:] *= 3.0
    values[1:, 1] = np.nan
    (series,) = [s for s in find(history(values, metric=metric)).series if s.metric == metric]
    assert series.changes == ()
    assert all(np.isfinite(centre).all() for centre in series.centre if centre)

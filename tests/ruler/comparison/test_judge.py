"""Verdicts of a comparison: right ones, and none that chance or a peek would give."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gmixbench.ruler.comparison import judge as judging
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST
from gmixbench.ruler.comparison.nouns import Comparison, Finding, Outcome
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import Check
from gmixbench.ruler.tolerances import TOLERANCES

Make = Callable[..., Any]


def found(outcome: Outcome, metric: str = "seconds_per_gradient") -> Finding:
    return next(each for each in outcome.whole if each.metric == metric)


def steady(blocks: int) -> np.ndarray:
    """ESS per gradient that repeats in each block, as under a shared seed."""
    return np.repeat(0.03 + 0.001 * np.arange(blocks)[:, None], 2, axis=1)


def compared(make: Make, seconds: np.ndarray, **rest: Any) -> Outcome:
    metrics = {"seconds_per_gradient": seconds, "ess_per_gradient": steady(len(seconds))}
    return judge(make(metrics, **rest))


@pytest.mark.parametrize(
    ("ratio", "word", "overall"),
    [
        (1.05, "regressed", "regressed"),
        (0.95, "improved", "fine"),
        (1.0, "equivalent", "fine"),
        (1.02, "inconclusive", "inconclusive"),
    ],
)
def test_a_change_is_called_what_it_is(
    make_comparison: Make, pairs: Make, ratio: float, word: str, overall: str
) -> None:
    outcome = compared(make_comparison, pairs(33, ratio))
    assert (found(outcome).verdict, outcome.verdict) == (word, overall)


def read(each: Finding) -> str:
    """Verdict of a metric of which less is better, by its interval alone."""
    low, high, edge = each.change.low, each.change.high, 1.0 + each.band
    if low > edge:
        return "regressed"
    if high < 1 / edge:
        return "improved"
    return "equivalent" if low >= 1 / edge and high <= edge else "inconclusive"


def test_the_verdict_can_be_read_off_the_interval(make_comparison: Make, pairs: Make) -> None:
    for ratio in (0.9, 0.97, 0.99, 1.0, 1.01, 1.03, 1.06):
        each = found(compared(make_comparison, pairs(27, ratio)))
        assert each.verdict == read(each)
        assert each.change.low <= ratio <= each.change.high


def test_of_many_metrics_each_verdict_can_be_read_off_its_interval(
    make_comparison: Make, pairs: Make
) -> None:
    names = ("warmup_s", "compile_s", "time_to_ess_1000", "import_s", "peak_memory")
    words = set()
    for ratio in np.linspace(1.025, 1.045, 21):
        # What the first one does not get decided, the last one's level would, had it grown so far.
        values = {name: pairs(FIRST, ratio) for name in names}
        for each in judge(make_comparison(values)).whole:
            assert each.verdict == read(each), (ratio, each.metric)
            words.add(each.verdict)
    assert words == {"regressed", "inconclusive"}


@pytest.mark.parametrize("metric", [name for names in COMPARED.values() for name in names])
def test_better_is_never_called_worse(make_comparison: Make, pairs: Make, metric: str) -> None:
    method = "nuts" if metric in COMPARED["nuts"] else "advi-matched"
    level = {"gap": 0.2, "peak_memory": 4e8}.get(metric, 1.0)
    for ratio in (0.5, 2.0):
        outcome = judge(make_comparison({metric: pairs(15, ratio, level=level)}, method=method))
        better = (ratio > 1) == (METRICS[metric].better == "higher")
        assert found(outcome, metric).verdict == ("improved" if better else "regressed"), ratio


def test_what_repeats_seed_by_seed_is_equivalent_without_chance(
    make_comparison: Make, pairs: Make
) -> None:
    each = found(compared(make_comparison, pairs(5)), "ess_per_gradient")
    assert (each.verdict, each.repeats) == ("equivalent", True)
    # One block that differs, and it is a matter of chance again.
    values = steady(5)
    values[3, 1] *= 1.001
    outcome = judge(make_comparison({"ess_per_gradient": values}))
    assert found(outcome, "ess_per_gradient").verdict == "inconclusive"


def test_ess_per_gradient_has_a_band_of_its_own(make_comparison: Make, pairs: Make) -> None:
    values = {"ess_per_gradient": pairs(33, 0.95, level=0.03)}
    words = {
        band: found(judge(make_comparison(values, band=0.5, ess_band=band)), "ess_per_gradient")
        for band in (0.1, 0.02)
    }
    assert {band: each.verdict for band, each in words.items()} == {
        0.1: "equivalent",
        0.02: "regressed",
    }
    assert {band: each.band for band, each in words.items()} == {0.1: 0.1, 0.02: 0.02}


def test_what_is_named_must_have_an_answer_and_no_other_changes_for_it(
    make_comparison: Make, pairs: Make
) -> None:
    metrics = {"seconds_per_gradient": pairs(15), "warmup_s": pairs(15, noise=0.2, seed=1)}
    metrics["import_s"] = pairs(15, noise=0.2, level=1.0, seed=2)
    usual = judge(make_comparison(metrics))
    named = judge(replace(make_comparison(metrics), metrics=("warmup_s",)))
    assert (usual.verdict, named.verdict) == ("fine", "inconclusive")
    assert [each.asked for each in named.whole] == [False, True, False]
    assert [each.change for each in named.whole] == [each.change for each in usual.whole]
    both = ("seconds_per_gradient", "peak_memory")
    untold = judge(replace(make_comparison(metrics), metrics=both))
    assert untold.verdict == "inconclusive"


def test_before_the_first_look_nothing_is_said(make_comparison: Make, pairs: Make) -> None:
    each = found(compared(make_comparison, pairs(11, 3.0)))
    assert (each.verdict, each.blocks, each.more) == ("inconclusive", 0, FIRST - 11)
    assert each.change.estimate == pytest.approx(3.0, rel=0.05)


def test_what_a_look_decides_stays(make_comparison: Make, pairs: Make) -> None:
    seconds = np.concatenate([pairs(12, 1.2), pairs(30, 1.0, seed=1)])
    each = found(compared(make_comparison, seconds))
    assert (each.verdict, each.blocks) == ("regressed", FIRST)
    assert each.remark == "decided by the first 13 blocks that tell it, open again by 38"
    assert found(compared(make_comparison, pairs(42, 1.2))).remark == ""


def test_the_forecast_holds_where_the_noise_stays(make_comparison: Make) -> None:
    def of(blocks: int) -> Finding:
        scores = stats.norm.ppf((np.arange(blocks) + 0.5) / blocks)
        noise = 0.02 * np.random.default_rng(0).permutation(scores)
        return found(compared(make_comparison, 1e-6 * np.exp([[0.0, each] for each in noise])))

    early = of(FIRST)
    assert early.verdict == "inconclusive"
    assert early.more is not None
    assert of(FIRST + early.more).verdict == "equivalent"
    assert of(FIRST + early.more // 2).verdict == "inconclusive"


def test_one_wild_block_decides_nothing(make_comparison: Make, pairs: Make) -> None:
    seconds = pairs(41, noise=0.005)
    seconds[7, 1] *= 50
    assert found(compared(make_comparison, seconds)).verdict == "equivalent"


def test_metrics_that_some_blocks_do_not_tell_use_the_others(
    make_comparison: Make, pairs: Make
) -> None:
    compiling = pairs(41, 1.5, level=10.0)
    compiling[np.arange(41) % 3 > 0] = np.nan
    outcome = judge(make_comparison({"seconds_per_gradient": pairs(41), "compile_s": compiling}))
    each = found(outcome, "compile_s")
    assert (each.verdict, each.blocks) == ("regressed", FIRST)  # its own first look


def test_compilation_is_never_asked(make_comparison: Make, pairs: Make) -> None:
    metrics = {"seconds_per_gradient": pairs(33), "compile_s": pairs(33, level=10.0)}
    assert [each.metric for each in judge(make_comparison(metrics)).whole if each.asked] == [
        "seconds_per_gradient"
    ]
    alone = judge(make_comparison({"compile_s": pairs(33, level=10.0)}))
    assert (alone.answered, alone.verdict) == (False, "inconclusive")


@pytest.mark.parametrize(("ratio", "word"), [(1.0, "fine"), (1.1, "regressed")])
def test_where_no_gradients_are_told_draws_per_second_is_asked(
    make_comparison: Make, pairs: Make, ratio: float, word: str
) -> None:
    metrics = {"draws_per_second": pairs(33, 1 / ratio, level=1e4), "warmup_s": pairs(33)}
    outcome = judge(make_comparison(metrics))
    assert [each.metric for each in outcome.whole if each.asked] == ["draws_per_second"]
    assert (outcome.answered, outcome.verdict) == (True, word)
    with_factors = compared(make_comparison, pairs(33))
    assert [each.metric for each in with_factors.whole if each.asked] == [
        "seconds_per_gradient",
        "ess_per_gradient",
    ]


# Chance


def alarms(make: Make, count: int) -> int:
    """Comparisons of equal sides, with far-tailed noise and no band, that call a change."""
    wrong = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        # As sides are exchanged by a coin, so are here the signs.
        values = {
            name: np.exp(0.1 * rng.standard_t(2.0, (41, 2)))
            for name in ("seconds_per_gradient", "warmup_s")
        }
        outcome = judge(make(values, band=1e-9, alpha=0.2))
        wrong += any(each.verdict in ("regressed", "improved") for each in outcome.whole)
    return wrong


def test_equal_sides_are_told_apart_no_more_often_than_allowed(
    make_comparison: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 120
    most = stats.binom.isf(1e-6, count, 0.2)
    assert alarms(make_comparison, count) <= most
    # Whoever looks seven times as if it were once cries wolf.
    monkeypatch.setattr(judging, "share", lambda _: 2.0)
    assert alarms(make_comparison, count) > most


def test_many_metrics_are_held_to_one_error(
    make_comparison: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(count: int) -> int:
        total = 0
        for seed in range(count):
            rng = np.random.default_rng(seed)
            names = [name for name in COMPARED["nuts"] if TOLERANCES[name].machine]
            values = {name: np.exp(0.1 * rng.standard_normal((FIRST, 2))) for name in names}
            outcome = judge(make_comparison(values, band=1e-9, alpha=0.8))
            total += any(each.verdict in ("regressed", "improved") for each in outcome.whole)
        return total

    most = stats.binom.isf(1e-6, 80, 0.4)  # the first look may spend a half
    assert wrong(80) <= most
    monkeypatch.setattr(judging, "holm_level", lambda alpha, *_: alpha)
    assert wrong(80) > most


def wrong(each: Finding, ratio: float) -> bool:
    """Whether a verdict is wrong of a metric of which less is better, and which changed so."""
    edge = 1 + each.band
    return {
        "regressed": ratio <= edge,
        "improved": ratio >= 1 / edge,
        "equivalent": not 1 / edge <= ratio <= edge,
        "inconclusive": False,
    }[each.verdict]


@pytest.mark.parametrize(
    ("ratios", "band"),
    [
        pytest.param([1.0] * 5, 1e-9, id="equal"),
        # A right verdict gives the others a larger level: on a change, or on what has none.
        pytest.param([2.0, 0.5, 1.02, 1.02, 1 / 1.02], 0.02, id="some far, some at the edge"),
        pytest.param([2.0, 2.0, 1.0, 1.0, 1.0], 1e-9, id="some far, some equal"),
    ],
)
def test_metrics_that_share_their_noise_are_held_to_one_error(
    make_comparison: Make, monkeypatch: pytest.MonkeyPatch, ratios: list[float], band: float
) -> None:
    names = ("warmup_s", "compile_s", "time_to_ess_1000", "import_s", "peak_memory")

    def alarms(count: int) -> int:
        total = 0
        for seed in range(count):
            rng = np.random.default_rng(seed)
            shared = rng.standard_normal((FIRST, 2))
            values = {}
            for name, ratio in zip(names, ratios, strict=True):
                noise = 0.03 * (shared + rng.standard_normal((FIRST, 2)))
                values[name] = np.exp(noise) * np.array([1.0, ratio])
            found = judge(make_comparison(values, band=band, alpha=0.8)).whole
            total += any(map(wrong, found, ratios))
        return total

    most = stats.binom.isf(1e-6, 60, 0.2)  # of these metrics' half, the first look may spend a half
    assert alarms(60) <= most
    monkeypatch.setattr(judging, "holm_level", lambda alpha, *_: alpha)
    monkeypatch.setattr(judging, "share", lambda _: 2.0)
    assert alarms(60) > most


# Right and wrong


def test_a_wrong_answer_is_invalid_however_fast(make_comparison: Make, pairs: Make) -> None:
    outcome = compared(make_comparison, pairs(15, 0.2), bias=(0.3, 9.0))
    assert outcome.verdict == "invalid"
    assert [trust.valid for trust in outcome.trusts] == [True, False]
    assert "standard errors from the exact one" in outcome.trusts[1].reasons[0]
    assert outcome.findings == ()  # no speed without truth


def test_processes_are_wrong_together_where_each_alone_would_pass(
    make_comparison: Make, pairs: Make
) -> None:
    def valid(blocks: int) -> bool:
        return compared(make_comparison, pairs(blocks), bias=(0.0, 1.5)).valid

    assert valid(2)
    assert not valid(27)


def test_a_density_that_is_not_the_models_needs_no_statistics(
    make_comparison: Make, pairs: Make
) -> None:
    wrong = {(3, 1): "density_error 0.1 exceeds 1e-10"}
    outcome = compared(make_comparison, pairs(5, 0.5), faults=wrong)
    assert outcome.verdict == "invalid"
    assert "1 of 5 processes: density_error" in outcome.trusts[1].reasons[0]


def test_what_crashed_or_is_too_little_is_not_measured(make_comparison: Make, pairs: Make) -> None:
    made: Comparison = make_comparison({"seconds_per_gradient": pairs(FIRST)})
    crashed = replace(made.readings[-1], failure="crash: SIGSEGV", metrics={})
    thin = tuple(replace(each, ess=1.0) for each in made.readings)
    for readings in ((*made.readings[:-1], crashed), thin, ()):
        assert judge(replace(made, readings=readings)).verdict == "not measured"
    wrong = replace(made.readings[0], faults=("density_error 1",))
    both = replace(made, readings=(wrong, *made.readings[1:-1], crashed))
    assert judge(both).verdict == "invalid"


def three(make: Make, blocks: int) -> Comparison:
    """A comparison of two sides with one between them; the change is in the second step."""
    rng = np.random.default_rng(0)
    noise = np.exp(0.01 * rng.standard_normal((blocks, 3)))
    made: Comparison = make(
        {"seconds_per_gradient": 1e-6 * noise * np.array([1.0, 1.0, 1.1])},
        names=("old", "library", "new"),
    )
    return made


@pytest.mark.parametrize("what", [{"failure": "crash: boom"}, {"faults": ("density_error 1",)}])
def test_what_is_between_the_ends_drops_its_steps_alone(
    make_comparison: Make, what: dict[str, Any]
) -> None:
    made = three(make_comparison, FIRST + 1)
    rows = [each for each in made.readings if each.variant != 1 or each.block < 3]
    rows = [
        replace(each, **what) if (each.block, each.variant) == (2, 1) else each for each in rows
    ]
    outcome = judge(replace(made, readings=tuple(rows)))
    assert (outcome.blocks, outcome.verdict, outcome.answered) == (FIRST + 1, "regressed", True)
    assert {each.pair for each in outcome.findings} == {(0, 2)}
    assert outcome.same_draws == ()
    assert [each.valid for each in outcome.trusts] == [True, False, True]


def test_a_bias_between_the_ends_drops_its_steps_alone(make_comparison: Make) -> None:
    made = three(make_comparison, FIRST)
    checks = (Check("mean of it", 1.09, 1.0, 0.01, 9.0),)
    rows = tuple(
        replace(each, checks=checks) if each.variant == 1 else each for each in made.readings
    )
    outcome = judge(replace(made, readings=rows))
    assert (outcome.valid, outcome.verdict) == (True, "regressed")
    assert {each.pair for each in outcome.findings} == {(0, 2)}


def test_a_process_with_two_faults_counts_once(make_comparison: Make, pairs: Make) -> None:
    made: Comparison = make_comparison({"seconds_per_gradient": pairs(3)})
    first, *others = made.readings
    twice = replace(first, faults=("density_error 1", "density_constant 2"))
    (reason,) = judge(replace(made, readings=(twice, *others))).trusts[0].reasons
    assert reason == "1 of 3 processes: density_error 1"


def test_a_begun_block_and_the_pilot_do_not_count(make_comparison: Make, pairs: Make) -> None:
    made: Comparison = make_comparison({"seconds_per_gradient": pairs(13, 1.3)})
    begun = Comparison(**(vars(made) | {"readings": made.readings[:-1]}))
    assert (judge(made).blocks, judge(begun).blocks) == (13, 12)


def test_same_draws_are_known_by_their_digest(make_comparison: Make, pairs: Make) -> None:
    metrics = {"seconds_per_gradient": pairs(4)}
    same = make_comparison(metrics, draws=lambda block, _: f"{block}")
    assert judge(same).same_draws == (((0, 1), 0),)
    assert judge(make_comparison(metrics)).same_draws == ()


def test_steps_are_told_beside_the_whole(make_comparison: Make) -> None:
    rng = np.random.default_rng(0)
    seconds = 1e-6 * np.exp(0.01 * rng.standard_normal((22, 3))) * np.array([1.0, 1.0, 1.1])
    outcome = judge(
        make_comparison({"seconds_per_gradient": seconds}, names=("old", "library", "new"))
    )
    words = {each.pair: each.verdict for each in outcome.findings}
    assert words == {(0, 2): "regressed", (0, 1): "equivalent", (1, 2): "regressed"}


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.02, 1.06])
def test_what_follows_from_one_metric_alone_is_told_with_it(
    make_comparison: Make, pairs: Make, ratio: float
) -> None:
    seconds = pairs(20, ratio)
    told = {"seconds_per_gradient": seconds, "ess_per_gradient": steady(20)}
    noisy = {name: pairs(20, seed=k, noise=0.3) for k, name in enumerate(("warmup_s", "import_s"))}
    follows = {"ess_per_second": steady(20) / seconds}
    outcome = judge(make_comparison(told | noisy | follows))
    carrier, mirror = found(outcome), found(outcome, "ess_per_second")
    assert mirror.verdict == carrier.verdict
    assert mirror.change.low == pytest.approx(1 / carrier.change.high)
    assert mirror.change.high == pytest.approx(1 / carrier.change.low)
    assert mirror.new == pytest.approx(np.median(follows["ess_per_second"][:, 1]))
    assert not mirror.asked
    # It takes no share of the error: the others are judged as if it were not there.
    alone = judge(make_comparison(told | noisy))
    assert found(outcome, "warmup_s") == found(alone, "warmup_s")


def test_what_follows_but_for_noise_of_its_own_is_judged_by_itself(
    make_comparison: Make, pairs: Make
) -> None:
    seconds = pairs(20, 1.06)
    told = {"seconds_per_gradient": seconds, "ess_per_gradient": steady(20)}
    wavering = steady(20) / seconds * pairs(20, 1.0, noise=0.2, drift=0.0, level=1.0, seed=5)
    outcome = judge(make_comparison(told | {"ess_per_second": wavering}))
    assert found(outcome).verdict == "regressed"
    assert found(outcome, "ess_per_second").verdict == "inconclusive"

"""Right or wrong: at fixed points, with evidence, and by chance as rarely as allowed."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gmixbench.ruler.comparison import trust as trusting
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST
from gmixbench.ruler.comparison.nouns import PILOT, Comparison, Reading
from gmixbench.ruler.comparison.trust import checks_of, trusts
from gmixbench.ruler.score import Check
from gmixbench.ruler.verdict import EVIDENCE, LEAST_ESS

Make = Callable[..., Any]


def biased(reading: Reading, z: float) -> Reading:
    """A process whose one check is so many standard errors off."""
    return replace(reading, checks=(Check("mean of it", 1.0 + 0.01 * z, 1.0, 0.01, abs(z)),))


def course(make: Make, zs: Any, pilot: float = 0.0) -> Comparison:
    """A comparison whose new side is off by `zs`, block by block, after a pilot."""
    made: Comparison = make({"gap": np.ones((len(zs), 2))})
    rows = [biased(each, zs[each.block] if each.variant else 0.0) for each in made.readings]
    first = [biased(replace(each, block=PILOT), pilot * each.variant) for each in rows[:2]]
    return replace(made, readings=(*first, *rows))


def test_the_worst_is_what_the_judge_tells(made_values: Make, comparison_of: Make) -> None:
    comparison = comparison_of({"ordered nuts": made_values({}, blocks=16)}, z={1: 6.0})
    found = judge(comparison).trusts
    for side, trust in enumerate(found):
        worst = max(checks_of(comparison, side, 0), key=lambda check: check.z)
        assert (worst.name, worst.z) == (trust.worst, trust.z)
    assert found[1].z == pytest.approx(6.0)  # where it was found
    assert (found[1].valid, found[1].wrong) == (False, True)


def test_advi_has_no_checks(made_values: Make, comparison_of: Make) -> None:
    fits = comparison_of({"ordered advi-matched": made_values({}, method="advi")})
    assert checks_of(fits, 0, 0) == ()
    assert all(each.valid for each in trusts(fits))


def test_between_the_fixed_points_nothing_is_judged(make_comparison: Make) -> None:
    zs = np.full(FIRST + 1, 2.0)  # of FIRST together 7.2, of one nothing
    assert trusts(course(make_comparison, zs[: FIRST - 1]))[1].valid
    assert not trusts(course(make_comparison, zs[:FIRST]))[1].valid
    begun = course(make_comparison, zs[:FIRST])
    assert trusts(replace(begun, readings=begun.readings[:-1]))[1].valid
    wild = np.array([*np.zeros(FIRST), 99.0])
    assert trusts(course(make_comparison, wild))[1].valid


def test_the_pilot_alone_can_tell_a_wrong_answer(make_comparison: Make) -> None:
    (right, wrong) = trusts(course(make_comparison, np.zeros(1), pilot=9.0))
    assert (right.valid, wrong.valid, wrong.wrong) == (True, False, True)


def test_a_failure_is_final(make_comparison: Make) -> None:
    zs = np.array([*np.full(FIRST, 2.0), *np.full(30, -2.0)])
    assert not trusts(course(make_comparison, zs))[1].valid
    assert not trusts(course(make_comparison, np.zeros(30), pilot=9.0))[1].valid


@pytest.mark.parametrize(("ess", "valid"), [(LEAST_ESS / FIRST + 1, True), (20.0, False)])
def test_from_the_first_look_on_there_must_be_evidence(
    make_comparison: Make, ess: float, valid: bool
) -> None:
    def thin(blocks: int) -> Any:
        made = course(make_comparison, np.zeros(blocks))
        rows = tuple(replace(each, ess=ess) for each in made.readings)
        return trusts(replace(made, readings=rows))[1]

    assert thin(FIRST - 1).valid
    found = thin(FIRST)
    assert found.valid == valid
    assert not found.wrong
    if not valid:
        assert found.reasons == (f"{EVIDENCE}ESS 260 of all draws, 400 are needed",)


@pytest.mark.parametrize("estimate", [1.0, 1.1])
def test_draws_without_an_ess_are_no_evidence(make_comparison: Make, estimate: float) -> None:
    made = course(make_comparison, np.zeros(FIRST))
    still = (Check("mean of it", estimate, 1.0, math.nan, math.nan),)
    rows = tuple(replace(each, checks=still, ess=None) for each in made.readings)
    assert not any(each.valid for each in trusts(replace(made, readings=rows)))


def test_a_process_that_failed_is_not_known_to_be_wrong(make_comparison: Make) -> None:
    made = course(make_comparison, np.zeros(2))
    lost = replace(made.readings[-1], checks=(), ess=None, failure="crash: SIGSEGV", metrics={})
    found = trusts(replace(made, readings=(*made.readings[:-1], lost)))[1]
    assert (found.valid, found.wrong) == (False, False)
    assert found.reasons == ("1 of 3 processes: crash: SIGSEGV",)


def alarms(make: Make, count: int) -> int:
    """Comparisons of right sides that are called wrong at any time within 60 blocks."""
    wrong = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        made = course(make, rng.standard_normal(60), rng.standard_normal())
        rows = tuple(replace(each, ess=1e12) for each in made.readings)  # an MCSE without noise
        wrong += trusts(replace(made, readings=rows))[1].wrong
    return wrong


def test_a_right_side_is_called_wrong_no_more_often_than_allowed(
    make_comparison: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusting, "FAMILYWISE", 0.2)
    count = 100
    most = stats.binom.isf(1e-6, count, 0.2)
    assert 0 < alarms(make_comparison, count) <= most
    # Whoever judges after each block at the whole level calls right answers wrong.
    monkeypatch.setattr(trusting, "share", lambda _: 1.0)
    monkeypatch.setattr(trusting, "looks", lambda blocks: range(1, blocks + 1))
    assert alarms(make_comparison, count) > most

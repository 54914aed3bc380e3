"""What a harness without direction is given of a history."""

from dataclasses import replace

import pytest

from gmixbench.ruler.history import History, Measurement, Release, Session
from gmixbench.ruler.readings import readings, share_refused
from gmixbench.spec import MODELS, Case, NutsSettings


def session(name, anchors=()):
    return Session(name, "2026-01-01", {}, anchors, (), (), "close", ("ordered",), ("nuts",))


def measured(stack, name, k, **metrics):
    case = Case("close", MODELS["ordered"], "pymc", "nuts", NutsSettings(), stack, k)
    return Measurement(case, name, k, f"2026-01-0{k + 1}", "0", valid=True, metrics=metrics)


def history(*rows, sessions=("first",), anchors=()):
    stacks = sorted({row.case.stack for row in rows})
    releases = tuple(
        Release(stack, "pymc", "pymc", stack, f"2020-01-0{k}", "3.12", {})
        for k, stack in enumerate(stacks, 1)
    )
    made = tuple(session(name, anchors) for name in sessions)
    return History("quick", releases, made, rows)


def test_rounds_are_kept_and_their_median_told():
    rows = [
        measured("a", "first", k, seconds_per_gradient=s) for k, s in enumerate((3.0, 1.0, 2.0))
    ]
    (one,) = readings(history(*rows))
    assert one.values == {"seconds_per_gradient": (3.0, 1.0, 2.0)}
    assert one.median("seconds_per_gradient") == 2.0
    assert (one.rounds, one.refused, one.began) == (3, 0, "2026-01-03")


def test_a_slow_day_is_no_slow_release():
    fast = {"seconds_per_gradient": 1.0, "draws_per_second": 8.0, "ess_per_gradient": 0.5}
    slow = {"seconds_per_gradient": 2.0, "draws_per_second": 4.0, "ess_per_gradient": 0.5}
    rows = [measured("a", "first", 0, **fast)]
    rows += [measured(stack, "second", 1, **slow) for stack in ("a", "b")]
    of = {
        r.stack: r for r in readings(history(*rows, sessions=("first", "second"), anchors=("a",)))
    }
    assert of["b"].values["seconds_per_gradient"] == pytest.approx([1.0])
    assert of["b"].values["seconds_per_draw"] == pytest.approx([1 / 8])
    assert of["b"].values["gradients_per_effective_draw"] == (2.0,)
    alone = {r.stack: r for r in readings(history(*rows, sessions=("first", "second")))}
    assert alone["b"].values.keys() == {"gradients_per_effective_draw"}


def test_what_is_refused_gives_no_value_and_is_counted():
    rows = [measured("a", "first", k, seconds_per_gradient=1.0) for k in range(4)]
    rows[1] = replace(rows[1], valid=False, reasons=("bias: by far",))
    rows[2] = replace(rows[2], valid=False, failure="crash: by SIGSEGV", metrics=None)
    (one,) = readings(history(*rows))
    assert (one.rounds, one.refused) == (4, 2)
    assert one.values == {"seconds_per_gradient": (1.0, 1.0)}
    assert share_refused([one]) == 0.5


def test_other_settings_are_left_behind():
    old = measured("a", "first", 0, seconds_per_gradient=1.0)
    old = replace(old, case=replace(old.case, settings=NutsSettings(draws=7)))
    new = measured("b", "first", 1, seconds_per_gradient=2.0)
    assert [one.stack for one in readings(history(old, new))] == ["b"]

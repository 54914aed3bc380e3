"""The power table, made from files that tell what is in them; and rules set side by side."""

import csv
import importlib.util
import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gmixbench.lab.comparison.blocks import order
from gmixbench.lab.datasets import load
from gmixbench.lab.execute import job as job_of
from gmixbench.spec import MODELS, PROFILES, Case
from gmixbench.truth.density import log_density
from gmixbench.truth.solve import solve

POWER = Path(__file__).parents[1] / "benchmarks" / "power"

PLANTED = {"plain": 1.0, "again": 1.0, "slower-5": 1.05, "slower-10": 1.1, "sticky-20": 1.0}


@pytest.fixture
def module(monkeypatch):
    """A script of the folder, as a module."""
    monkeypatch.syspath_prepend(str(POWER))
    return importlib.import_module


def wobble(block, side):
    """Between -1 and 1, without a pattern that matters here."""
    return math.sin(12.9898 * block + 78.233 * side)


def write(path, variants, blocks, columns):
    """A file as `measure.py` leaves it, of processes whose clock wobbles by half a per cent."""
    with path.open("w", newline="") as file:
        lines = csv.DictWriter(file, columns, restval="")
        lines.writeheader()
        for block in range(blocks):
            for side, (name, slower) in enumerate(variants.items()):
                clock = 1e-6 * slower * math.exp(0.005 * wobble(block, side))
                ess = 0.035 * math.exp(0.1 * wobble(block, 0))
                ess *= 0.8 * math.exp(0.01 * wobble(block, 9)) if name == "sticky-20" else 1
                told = {"seconds_per_gradient": clock, "ess_per_gradient": ess}
                told |= {"warmup_s": 0.1 + 0.01 * wobble(block, side + 20)}
                where = {"block": block, "variant": name, "place": (side + block) % len(variants)}
                when = {"began": f"2026-11-25T20:{block:02}", "cpu": "Z80"}
                when |= {"seconds": 4.5, "load": block % 3}
                lines.writerow(where | when | told)


@pytest.fixture
def measured(module, tmp_path):
    """Folder with both files: two comparisons of equal sides and a begun one; planted faults."""
    measure = module("measure")
    write(tmp_path / "equal.csv", dict.fromkeys(measure.EQUAL, 1.0), 28, measure.COLUMNS)
    write(tmp_path / "planted.csv", PLANTED, 26, measure.COLUMNS)
    return tmp_path


@pytest.mark.slow
def test_the_table_tells_what_is_in_the_files(measured):
    command = [sys.executable, "-W", "error", POWER / "table.py", measured, "4"]
    subprocess.run(command, check=True, capture_output=True)
    page = (measured / "README.md").read_text()
    assert "Of 2 comparisons 2 were measured" in page
    assert "| equal sides, real: any metric changed | ≤ 1 % | 0 of 2, " in page
    assert "| slower-5, band 2 %, resampled: regressed | ≥ 90 % | 4 of 4, " in page
    assert "| open (resampled) |" in page
    assert "| sticky-20, band 2 %, resampled: right factor | found | 4 of 4, " in page
    assert "| slower-10, band 5 % | seconds_per_gradient | regressed | regressed (13), " in page
    assert "| again, band 2 % | seconds_per_gradient | equivalent | equivalent (13), " in page
    assert "−20." in page
    assert "182 processes on Z80; " in page.replace("\n", " ")
    assert "measured 2026-11-25.*" in page.replace("\n", " ")
    assert (measured / "power.png").read_bytes().startswith(b"\x89PNG")


def test_no_process_is_in_two_comparisons(module, measured):
    blocks = module("blocks")
    found = blocks.read(measured / "equal.csv", ["old", "new"])
    groups = blocks.groups(found, 13)
    used = [id(each) for group in groups for each in blocks.processes(group)]
    assert len(used) == len({*used}) == 2 * 2 * 13
    lines = (measured / "equal.csv").read_text().splitlines(keepends=True)
    (measured / "equal.csv").write_text("".join([*lines, lines[-1]]))
    with pytest.raises(ValueError, match="new is twice in block 27"):
        blocks.read(measured / "equal.csv", ["old", "new"])


def test_a_comparison_with_a_failure_is_told_and_left_out(module, measured):
    path = measured / "equal.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], f"{lines[3]}crash: no more memory", *lines[4:], ""]))
    found = module("blocks").groups(module("blocks").read(path, ["old", "new"]), 13)
    short = module("short").of_equal(found, [])
    assert (short.measured, len(short.groups)) == (2, 1)


@pytest.mark.parametrize(
    ("slower", "asv", "pytest_benchmark", "t_test"),
    [
        (1.0, None, None, None),
        (1.07, None, "regressed", "regressed"),
        (1.2, "regressed", "regressed", "regressed"),
        (0.8, "improved", None, "improved"),
    ],
)
def test_other_rules_say_what_their_tools_say(module, slower, asv, pytest_benchmark, t_test):
    old = np.array([1 + 0.01 * wobble(k, 0) for k in range(30)])
    new = slower * np.array([1 + 0.01 * wobble(k, 1) for k in range(30)])
    said = module("rules").others({"clock": np.column_stack([old, new])})
    assert [said[name]["clock"] for name in ("asv", "pytest-benchmark", "t-test")] == [
        asv,
        pytest_benchmark,
        t_test,
    ]


def test_a_share_has_the_interval_of_clopper_and_pearson(module):
    share = module("shares").Share
    assert share(0, 300).interval == (0.0, pytest.approx(1 - 0.05 ** (1 / 300)))
    assert share(300, 300).interval == (pytest.approx(0.05 ** (1 / 300)), 1.0)
    assert str(share(3, 300)) == "3 of 300, 1.0 % [0.3, 2.6]"


def test_resampled_blocks_keep_their_neighbours(module):
    long = module("long")
    blocks = [{"plain": k} for k in range(20)]
    drawn = [each["plain"] for each in long.resampled(blocks, 30, np.random.default_rng(0))]
    steps = [(after - before) % 20 for before, after in pairwise(drawn)]
    assert len(drawn) == 30
    assert sum(step != 1 for step in steps) <= 30 // long.STRETCH


def test_what_is_slower_by_arithmetic_is_so_in_all_that_the_clock_tells(module, measured):
    short, blocks = module("short"), module("blocks")
    (group, _) = blocks.groups(blocks.read(measured / "equal.csv", ["old", "new"]), 13)
    equal, slower = (short.answered(group, 0.02, effect) for effect in (0.0, 0.3))
    assert equal.verdicts["seconds_per_gradient"] == "equivalent"
    assert slower.verdicts["seconds_per_gradient"] == "regressed"
    assert slower.floor == pytest.approx(equal.floor)


def test_equal_sides_have_the_order_that_compare_gives_them(module, measured):
    short, blocks = module("short"), module("blocks")
    found = blocks.groups(blocks.read(measured / "equal.csv", ["old", "new"]), 13)
    groups = short.of_equal(found, []).groups
    for group, before in zip(groups, found, strict=True):
        firsts = [block["old"].place for block in group]
        assert all(turn + back == 1 for turn, back in zip(firsts[:-1:2], firsts[1::2], strict=True))
        for block, was in zip(group, before, strict=True):
            assert {id(each) for each in block.values()} == {id(each) for each in was.values()}
    pair = module("short").PAIR
    for seed, group in enumerate(groups):
        steps = [order(blocks.comparison((), pair, 0.0, seed), number)[0] for number in range(13)]
        assert [block["old"].place for block in group] == [step.variant for step in steps]


def test_blocks_that_turn_an_order_round_are_held_against_each_other(module):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((200, 13))
    alike = np.repeat(noise[:, :7], 2, axis=1)[:, :13]  # 0 and 1, 2 and 3, ... are nearly the same
    alike += 0.01 * rng.standard_normal(alike.shape)
    assert module("told").turned(noise).startswith(("0.0", "−0.0"))
    assert module("told").turned(alike) == "1.00 [1.00, 1.00] of 1,200 turns"
    assert "of 1,200 turns" in module("told").turned(noise)


def test_neighbours_as_one_comparison_are_looked_at_again_and_again(module, tmp_path):
    measure, short, blocks = module("measure"), module("short"), module("blocks")
    write(tmp_path / "equal.csv", {"old": 1.0, "new": 1.0}, 60, measure.COLUMNS)
    found = blocks.read(tmp_path / "equal.csv", ["old", "new"])
    told = short.of_equal(blocks.groups(found, 13), blocks.groups(found, 13 * short.RUN))
    assert [each.outcome.looks for each in told.runs] == [7]
    assert {each.outcome.looks for each in told.bare} == {1}


def test_noise_is_known_from_the_comparison_before(module, measured, monkeypatch):
    short, blocks = module("short"), module("blocks")
    monkeypatch.setattr(short, "EFFECTS", (0.0, 0.05))
    groups = blocks.groups(blocks.read(measured / "equal.csv", ["old", "new"]), 13)
    told = short.of_equal(groups, [])
    quiet, noisy = told.equal
    told = short.replace(told, equal=[quiet, short.replace(noisy, floor=1.0)])
    changed, others = told.slowed[0.05][0]
    open_ = short.answered(groups[1], 1.0)
    told = short.replace(told, slowed={0.05: [(changed, others), (open_, others)]})
    assert short.too_noisy(told, 0.05) == ["regressed"]  # whose only neighbour is the noisy one
    assert short.too_noisy(told, 0.05, above=False) == ["equivalent"]


@pytest.mark.parametrize(
    ("name", "additions", "right"),
    [("jacobian", 0, False), ("scaled", 0, True), ("slower", 50, True), ("sticky", 0, True)],
)
def test_a_planted_fault_is_what_it_says_and_no_other(name, additions, right, monkeypatch):
    """Of the density, that is: what the others change is time and draws."""
    monkeypatch.setenv("PLANTED_ADDITIONS", str(additions))
    # Not by its name: tests plant modules of their own in a package that is called so too.
    place = importlib.util.spec_from_file_location(name, POWER / "planted" / f"{name}.py")
    planted = importlib.util.module_from_spec(place)
    place.loader.exec_module(planted)
    settings = PROFILES["quick"].settings("nuts")
    case = Case("close", MODELS["ordered"], f"planted.{name}", "nuts", settings)
    x = load("close").x
    job = job_of(case, solve(x, case.model))
    told = planted.density(planted.build(job), job.points)
    value, gradient = log_density(case.model, x, job.points)
    assert np.allclose(told.values, value, rtol=1e-10) == right
    assert np.allclose(told.gradients, gradient, rtol=1e-10, atol=1e-10) == right

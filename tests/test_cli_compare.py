"""`gmixbench compare`, `noise` and `bisect`, with processes that are none."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gmixbench.cli import bisect, comparing
from gmixbench.lab import building
from gmixbench.lab.comparison import blocks, holding, releases, sides, trial
from gmixbench.lab.comparison.sides import Side
from gmixbench.lab.stacks import Stack, StackError
from gmixbench.record import Job
from gmixbench.report.comparison import page
from gmixbench.ruler.comparison.compared import COMPARED
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import FIRST
from gmixbench.ruler.comparison.nouns import Outcome, Variant
from gmixbench.spec import Case

pytestmark = pytest.mark.usefixtures("measured_jobs")

Call = Callable[..., SimpleNamespace]


def named(text: str, *_: object, **__: object) -> Side:
    """Side of a backend by its name; what follows a number sign makes it another of the same."""
    backend = text.split("#", maxsplit=1)[0].rsplit(":", 1)[-1]
    return Side(Variant(text, "here", backend, {"python": "3.13", "lib": text}, text), None)


@pytest.fixture(autouse=True)
def _by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sides, "side", named)
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: most tests are not about the page."""

    def write(folder: Path, _: object) -> Path:
        return folder / "compare.html"

    monkeypatch.setattr(page, "write_comparison", write)


def test_what_got_slower_is_told_with_its_reason(call: Call) -> None:
    options = ("--out", "there", "--markdown", "told.md", "--ess-band", "20%")
    done = call("compare", "plain", "slow", *options)
    assert done.code == 1
    assert "plain against slow: pilot, process 1 of 2: compiling" in done.out
    assert "block 1, process 1 of 2; next look after block 13, in " in done.out
    assert "ESS/s regressed: −1" in done.out
    assert "a gradient evaluation takes 20 % longer" in done.out
    assert "differs: lib plain → slow" in done.out
    kept = json.loads(Path("there/compare.json").read_text())
    assert len(kept["readings"]) == 2 * (1 + FIRST)
    assert "20 % longer" in Path("there/compare.html").read_text()
    assert "regressed" in Path("told.md").read_text()
    assert kept["ess_band"] == 0.2
    assert kept["outcome"]["verdict"] == "regressed"


def test_equal_sides_are_fine(call: Call) -> None:
    done = call("compare", "plain", "other")
    assert done.code == 0
    assert "No change of ESS/s larger than" in done.out
    assert list(Path("results").glob("compare-plain-other-*/compare.html"))


@pytest.mark.usefixtures("no_page")
def test_what_is_wrong_shows_no_speed(call: Call) -> None:
    done = call("compare", "plain", "biased")
    assert done.code == 3
    assert "biased is invalid" in done.out
    assert "seconds_per_gradient" not in done.out


@pytest.mark.usefixtures("no_page")
def test_what_fails_is_told_with_its_own_words(call: Call) -> None:
    done = call("compare", "plain", "broken")
    assert done.code == 3
    assert "ValueError: no" in done.out
    assert "1 process failed: call it again to measure that again" in done.out


@pytest.mark.usefixtures("no_page")
def test_a_budget_that_reaches_no_look_says_what_would_do(call: Call) -> None:
    done = call("compare", "plain", "slow", "--budget", "1s")
    assert done.code == 4
    told = r"after block 13, is \d\d s away, more than is left: --budget \d\ds goes on"
    assert re.search(told, done.out)


@pytest.fixture
def none_in_sight(made_values: Callable[..., Any], comparison_of: Callable[..., Any]) -> Outcome:
    """Noise in which no look to come would tell a change."""
    values = made_values({"seconds_per_gradient": 1.06}, noise=0.05)
    found = judge(comparison_of({"ordered nuts": values}, same=True))
    return replace(found, findings=tuple(replace(each, more=None) for each in found.findings))


def test_where_no_answer_is_in_sight_no_budget_is_said_to_do(
    none_in_sight: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    comparing._tell_what_would_do(none_in_sight)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("no_page")
def test_stopped_it_goes_on(call: Call) -> None:
    done = call("compare", "plain", "stopped", "--out", "there")
    assert done.code == 130
    assert "there holds what was measured: call it again to go on" in done.out
    again = call("compare", "plain", "stopped", "--out", "there")
    assert again.code == 0
    assert "there holds 1 block already" in again.out


@pytest.mark.usefixtures("no_page")
def test_a_folder_of_another_comparison_is_refused_and_nothing_lost(call: Call) -> None:
    call("compare", "plain", "slow", "--out", "there")
    before = Path("there/compare.json").read_bytes()
    done = call("compare", "plain", "other", "--out", "there")
    assert done.code == 2
    assert "holds a comparison of other variants: give another --out, or --fresh" in done.err
    assert Path("there/compare.json").read_bytes() == before
    assert call("compare", "plain", "other", "--out", "there", "--fresh").code == 0


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "plain", "slow"],
        ["compare", "plain", "slow", "--fresh"],
        ["noise", "plain"],
        ["bisect", "--good", "plain#1", "--bad", "slow#6"],
        ["run", "--profile", "quick"],
    ],
    ids=lambda words: " ".join(words[:1] + words[3:]),
)
def test_a_folder_of_another_command_is_refused_at_once(
    call: Call, measured_jobs: list[Job], command: list[str]
) -> None:
    mark = "compare.json" if command[0] == "run" else "plan.json"
    Path("there").mkdir()
    Path("there", mark).write_text("mine")
    done = call(*command, "--out", "there")
    assert (done.code, done.out) == (2, "")
    (told,) = done.err.splitlines()
    assert told.startswith("gmixbench: there holds what `")
    assert told.endswith(f" left ({mark}): give another --out")
    assert [path.name for path in Path("there").iterdir()] == [mark]
    assert not measured_jobs


@pytest.mark.usefixtures("no_page")
def test_a_change_is_measured_again_where_that_is_asked(call: Call) -> None:
    done = call("compare", "plain", "slow", "--confirm", "--out", "there")
    assert done.code == 1
    first, second = (
        json.loads(path.read_text())
        for path in (Path("there/compare.json"), Path("there/again/compare.json"))
    )
    seeds = [{row["case"]["seed"] for row in each["readings"]} for each in (first, second)]
    assert not seeds[0] & seeds[1]
    found = [each["outcome"]["findings"][0] for each in (first, second)]
    assert [each["verdict"] for each in found] == ["regressed", "regressed"]
    assert [each["confirmed"] for each in found] == [True, None]
    assert not Path("same/again").exists()
    assert call("compare", "plain", "other", "--confirm", "--out", "same").code == 0
    assert not Path("same/again").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--band", "2"], "--band 2: give a share between 0 and 1"),
        (["--ess-band", "2"], "--ess-band 2: give a share between 0 and 1"),
        (["--budget", "10"], "--budget 10: give a time as 90s, 10m or 1.5h"),
        (["--budget", "-1m"], "--budget -1m: give a time"),
        (["--alpha", "1"], "--alpha 1: give a probability between 0 and 1"),
        (["--model", "none"], "unknown model 'none': choose from unordered, ordered"),
        (["--method", "none"], "unknown method 'none'"),
        (["--dataset", "none"], "unknown dataset 'none'"),
        (["--timeout", "0"], "--timeout 0: a positive number is wanted"),
        (["--hold-dependencies", "--attribute"], "leave the other out"),
        (["--sampler", "numpyro"], "a:plain: give --sampler or :BACKEND, not both"),
        (["--sampler", "nmpyro"], "unknown sampler 'nmpyro': choose from pymc, pymc-c, "),
    ],
)
@pytest.mark.usefixtures("no_page")
def test_wrong_use_is_one_line(call: Call, options: list[str], said: str) -> None:
    done = call("compare", "a:plain", "slow", *options)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not Path("results").exists()


@pytest.mark.usefixtures("no_page")
def test_what_is_named_must_have_an_answer(call: Call) -> None:
    done = call("compare", "plain", "slow", "--metric", "warmup_s", "--out", "there")
    assert done.code == 0  # it repeats, which three blocks tell
    kept = json.loads(Path("there/compare.json").read_text())
    assert (kept["metrics"], len(kept["readings"])) == (["warmup_s"], 2 * (1 + 3))
    assert " not decided: " in done.out
    assert call("compare", "plain", "slow", "--out", "there").code == 1  # and it goes on
    wrong = call("compare", "plain", "other", "--metric", "gap")
    assert wrong.code == 2
    assert "unknown metric 'gap' of nuts: choose from seconds_per_gradient, ess_" in wrong.err


@pytest.mark.parametrize("command", ["compare", "bisect"])
def test_help_names_each_metric_that_may_be_asked(call: Call, command: str) -> None:
    told = call(command, "--help").out
    for metric in (*COMPARED["nuts"], *COMPARED["advi"]):
        assert metric in told
    assert "`gmixbench list`" in " ".join(told.replace("│", " ").split())


@pytest.mark.usefixtures("no_page")
def test_in_a_log_it_is_told_what_is_locked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def side(text: str, _: Path, say: Callable[[str], None]) -> Side:
        say(f"{text}: building [a] wheel")
        return named(text)

    monkeypatch.setattr(sides, "side", side)
    options = ("--budget", "1s")
    assert "slow: building [a] wheel" in call("compare", "plain", "slow", *options).out
    assert "plain: building [a] wheel" in call("noise", "plain", *options).out


@pytest.mark.usefixtures("no_page")
def test_one_sampler_serves_both_sides(call: Call) -> None:
    done = call("compare", "one", "two", "--sampler", "my.own", "--out", "there")
    assert (done.code, done.err) == (0, "")
    kept = json.loads(Path("there/compare.json").read_text())
    assert [each["backend"] for each in kept["variants"]] == ["my.own", "my.own"]


@pytest.mark.usefixtures("no_page")
def test_of_the_same_side_twice_it_names_what_measures_that(call: Call) -> None:
    done = call("compare", "here:plain", "here:plain", "--budget", "1s")
    assert done.code == 4
    assert "are the same: " in done.err
    assert "measured by `gmixbench noise here:plain`" in done.err


@pytest.mark.usefixtures("no_page")
def test_steps_between_the_sides_are_told_apart(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps(old: Side, new: Side, **_: object) -> tuple[Side, ...]:
        return old, named("plain#library"), new

    monkeypatch.setattr(holding, "steps", steps)
    done = call("compare", "plain", "slow", "--attribute")
    assert done.code == 1
    assert "lib plain#library → slow carries it" in done.out


@pytest.mark.usefixtures("no_page")
def test_a_step_is_tried_with_what_is_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Case] = []

    def unsampled(_: Stack, cases: list[Case], *__: object, **___: object) -> str:
        tried.extend(cases)
        return "it: ordered nuts: exception: ValueError: no"

    def steps(old: Side, new: Side, *, unsampled: Any, say: Any) -> tuple[Side, ...]:
        say(unsampled(SimpleNamespace(name="it")))
        return old, new

    monkeypatch.setattr(trial, "unsampled", unsampled)
    monkeypatch.setattr(holding, "steps", steps)
    done = call("compare", "plain", "slow", "--attribute", "--budget", "1s")
    assert "it: ordered nuts: exception: ValueError: no" in done.out.splitlines()
    assert [(each.backend, each.method, each.stack) for each in tried] == [("slow", "nuts", "it")]


@pytest.mark.usefixtures("no_page")
def test_noise_is_told_kept_and_known_by_compare(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LEAST_SECONDS", 0.01)  # or the time would not do for a look
    done = call("noise", "plain", "--budget", "2s", "--out", "there")
    assert done.code == 0
    assert "seconds_per_gradient" in done.out
    (kept,) = Path("cache/noise").glob("plain-*.json")
    (floor,) = json.loads(kept.read_text())["floors"]  # of what repeats there is none
    assert floor["floor"]["metric"] == "seconds_per_gradient"
    assert 0 < floor["floor"]["change"] < 0.02
    assert floor["budget"] == 2.0
    # Held against a band of its own, whatever --band is.
    algorithm = {**floor, "floor": {**floor["floor"], "metric": "ess_per_gradient", "change": 0.9}}
    floor = {**floor, "floor": {**floor["floor"], "change": 0.01}}
    kept.write_text(json.dumps({"floors": [floor, algorithm]}))
    narrow = call("compare", "plain", "plain#again", "--band", "1.2%", "--budget", "1s")
    assert len(narrow.err.splitlines()) == 1
    assert "the band of 1.2 % is below what this machine could tell" in narrow.err
    assert "(1.4 % in 1 s, by the 2 s of `gmixbench noise`)" in narrow.err
    longer = call("compare", "plain", "plain#again", "--band", "1.2%", "--budget", "4s")
    assert "below what this machine" not in longer.err
    wide = call("compare", "plain", "plain#again", "--band", "50%")
    assert "below what this machine" not in wide.err
    kept.write_text("cut")
    damaged = call("compare", "plain", "plain#again", "--budget", "1s")
    assert damaged.code == 0
    assert len(damaged.err.splitlines()) == 1
    assert "left out; `gmixbench noise` writes it anew" in damaged.err


def test_noise_of_too_few_blocks_is_none(call: Call) -> None:
    done = call("noise", "plain", "--budget", "1s")
    assert done.code == 3
    assert "too few: give a longer --budget" in done.err


# bisect


RELEASES = {1: "plain#1", 2: "plain#2", 3: "plain#3", 4: "slow#4", 5: "slow#5", 6: "slow#6"}
"""Name by the month it came out."""


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Six releases, the fourth of which is the first slow one; gives those that were asked."""
    asked: list[str] = []

    def between(*_: object) -> tuple[SimpleNamespace, ...]:
        return tuple(
            SimpleNamespace(name=name, released=f"2026-0{k}-01", package=name, ppl=name)
            for k, name in RELEASES.items()
        )

    def of(stack: SimpleNamespace, *_: object) -> Side:
        asked.append(stack.name)
        return named(stack.name)

    monkeypatch.setattr(releases, "between", between)
    monkeypatch.setattr(sides, "of", of)
    monkeypatch.setattr(holding, "held", lambda base, new, **_: new)  # noqa: ARG005  # as it is called
    return asked


def test_the_first_bad_release_is_found_in_few_steps(call: Call, history: list[str]) -> None:
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6")
    assert done.code == 1
    assert done.out.splitlines()[-3] == (
        "the first bad one for seconds_per_gradient is slow#4 (2026-04-01), "
        "after plain#3 (2026-03-01)"
    )
    assert len(history) == 3  # the last, then half by half
    assert "releases between them that have no lock file are not told apart" in done.out
    assert "3 comparisons: together at most 3 %" in done.out
    assert "slow#6: bad: seconds_per_gradient +2" in done.out


def test_what_is_not_worse_has_nothing_to_find(call: Call, history: list[str]) -> None:
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6", "--metric", "ess_per_gradient")
    assert done.code == 0
    assert "slow#6 is not worse: nothing to find" in done.out
    assert history == ["slow#6"]


@pytest.mark.usefixtures("history")
def test_a_release_that_can_t_be_told_is_left_out(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RELEASES, 3, "broken#3")
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6")
    assert done.code == 4
    assert "is one of broken#3 (2026-03-01), slow#4 (2026-04-01)" in done.out
    assert "broken#3: skip: not measured" in done.out


@pytest.mark.usefixtures("history")
def test_since_when_it_is_wrong_is_asked_too(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for month in (4, 5, 6):
        monkeypatch.setitem(RELEASES, month, f"biased#{month}")
    done = call("bisect", "--good", "plain#1", "--bad", "biased#6", "--metric", "valid")
    assert done.code == 1
    assert "the first bad one for valid is biased#4" in done.out


@pytest.mark.usefixtures("history")
def test_what_can_t_be_held_has_its_own_dependencies(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object, **__: object) -> Side:
        raise StackError("they exclude each other")

    monkeypatch.setattr(holding, "held", held)
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6")
    assert done.code == 1
    assert "slow#6: with dependencies of its own, since they exclude each other" in done.out


@pytest.mark.usefixtures("history")
def test_a_held_release_that_does_not_run_has_its_own_dependencies(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(_: Side, new: Side, **__: object) -> Side:
        return Side(new.variant, SimpleNamespace(name="held"))

    monkeypatch.setattr(holding, "held", held)
    monkeypatch.setattr(trial, "fault", lambda *_, **__: "it does not import")
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6")
    assert done.code == 1
    assert "with dependencies of its own, since it does not import" in done.out


@pytest.mark.usefixtures("history")
def test_a_release_that_can_t_be_had_is_left_out_with_its_reason(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = sides.of

    def of(stack: SimpleNamespace, *rest: object) -> Side:
        if stack.name == "plain#3":
            raise StackError("plain#3: no Python 3.6 here")
        return fine(stack, *rest)

    monkeypatch.setattr(sides, "of", of)
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6")
    assert done.code == 4
    assert "plain#3: skip: no Python 3.6 here" in done.out
    assert "is one of plain#3 (2026-03-01), slow#4 (2026-04-01)" in done.out


@pytest.mark.usefixtures("history")
def test_a_release_that_can_t_be_built_is_left_out_with_its_reason(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object, **__: object) -> None:
        raise StackError("slow#6: the wheel is gone")

    def of(stack: SimpleNamespace, *_: object) -> Side:
        return Side(named(stack.name).variant, stack)

    monkeypatch.setattr(building, "build", build)
    monkeypatch.setattr(sides, "of", of)
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6", "--own-dependencies")
    assert done.code == 3
    assert "slow#6 could not be told: the wheel is gone" in done.err
    assert "--budget" not in done.err


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("metric", ["seconds_per_gradient", "valid"])
def test_a_last_release_without_an_answer_is_inconclusive(call: Call, metric: str) -> None:
    options = ["--metric", metric, "--budget", "1s"]
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6", *options)
    assert done.code == 4
    assert "within the budget: give a longer --budget" in done.err
    assert "good" not in done.out


def test_a_release_without_an_answer_in_sight_is_told_what_may_help(none_in_sight: Outcome) -> None:
    told = bisect._told(none_in_sight, "seconds_per_gradient")
    assert (told.answer, told.open_) == ("skip", True)
    assert told.why.startswith("seconds_per_gradient: no answer is in sight")
    assert "a wider band or a quieter machine" in told.why
    assert "--budget" not in told.why


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("kind", "metric", "word"),
    [
        ("biased", "seconds_per_gradient", "invalid"),
        ("broken", "seconds_per_gradient", "not measured"),
        ("broken", "valid", "not measured"),  # a crash is no wrong answer
    ],
)
def test_a_last_release_that_is_wrong_is_told_with_its_reason(
    call: Call, monkeypatch: pytest.MonkeyPatch, kind: str, metric: str, word: str
) -> None:
    monkeypatch.setitem(RELEASES, 6, f"{kind}#6")
    done = call("bisect", "--good", "plain#1", "--bad", f"{kind}#6", "--metric", metric)
    assert done.code == 3
    assert f"{kind}#6 could not be told: {word}: " in done.err
    assert "--budget" not in done.err


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("good", "said"),
    [
        ("biased#1", "the good side is invalid: "),
        ("broken#1", "the good side is not measured: 1 of 1 processes: exception: ValueError: no"),
    ],
)
def test_a_good_side_that_is_none_is_no_wrong_use(call: Call, good: str, said: str) -> None:
    done = call("bisect", "--good", good, "--bad", "slow#6")
    assert done.code == 3
    assert said in done.err
    assert ("call it again" in done.err) == (good == "broken#1")


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("options", [[], ["--out", "there"]], ids=["its own folder", "a given one"])
def test_held_dependencies_and_own_ones_are_two_questions(
    call: Call, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def held(_: Side, new: Side, **__: object) -> Side:
        return Side(replace(new.variant, digest=f"{new.variant.digest} held"), None)

    monkeypatch.setattr(holding, "held", held)
    asked = ["bisect", "--good", "plain#1", "--bad", "slow#6", *options]
    for more in ([], ["--own-dependencies"], []):
        done = call(*asked, *more)
        assert (done.code, done.err) == (1, "")


def test_an_unknown_metric_is_one_line(call: Call, history: list[str]) -> None:
    done = call("bisect", "--good", "plain#1", "--bad", "slow#6", "--metric", "gap")
    assert done.code == 2
    assert "unknown metric 'gap' of nuts: choose from seconds_per_gradient" in done.err
    assert history == []
    assert bisect.VALID in done.err

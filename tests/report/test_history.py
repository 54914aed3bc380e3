import csv
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from math import log

import numpy as np
import pytest
from pyarrow import parquet
from rich.console import Console

from gmixbench.report import style
from gmixbench.report.history_markdown import write_history_markdown
from gmixbench.report.history_page import blocks, write_history_page
from gmixbench.report.history_terminal import _said, history_tables
from gmixbench.report.history_words import headline, how_much_with_interval, label, remarks, span
from gmixbench.report.interactive import interactive
from gmixbench.report.pane import PANES, bounds, standings, ticks
from gmixbench.report.tidy import COLUMNS, FormatError, tidy, write_tidy
from gmixbench.report.timeline import thinned, timeline
from gmixbench.ruler.changes import Change, Findings, Notice, Series
from gmixbench.ruler.history import History, Measurement, Release, Session
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import MODELS, PROFILES, Case

PYMC = """
3.5 2018-07-21, 3.6 2018-12-20, 3.7 2019-05-29, 3.8 2019-11-30, 3.9.3 2020-08-11, 3.10.0 2020-12-07,
3.11.2 2021-03-14, 3.11.5 2022-03-15, 4.0.1 2022-06-20, 4.2.2 2022-10-10, 4.4.0 2022-11-19,
5.0.2 2023-01-19, 5.2.0 2023-03-30, 5.4.1 2023-05-30, 5.6.1 2023-07-14, 5.9.2 2023-11-12,
5.10.4 2024-02-14, 5.13.1 2024-04-15, 5.16.2 2024-07-11, 5.18.2 2024-11-18, 5.20.1 2025-02-06,
5.23.0 2025-05-28, 5.25.1 2025-07-24, 5.26.1 2025-10-17, 5.28.5 2026-05-01, 6.0.1 2026-05-20,
6.1.0 2026-07-07, 6.2.0 2026-07-23, 6.3.2 2026-09-08, 6.4.0 2026-11-01
"""

NUMPYRO = """
0.10.1 2022-09-05, 0.11.0 2023-01-23, 0.12.1 2023-06-01, 0.13.2 2023-09-24, 0.14.0 2024-03-03,
0.15.0 2024-05-13, 0.15.3 2024-09-17, 0.16.1 2024-12-05, 0.17.0 2025-02-06, 0.18.0 2025-03-15,
0.19.0 2025-08-05, 0.20.0 2026-01-30, 0.20.1 2026-03-25, 0.21.0 2026-05-02, 0.22.0 2026-09-18
"""

INVALID, FAILED = "pymc-v5.9.2", "numpyro-v0.12.1"
MESSAGE = "crash: killed by signal 11 (SIGSEGV) while sampling"
REASON = "density_error 0.31 exceeds 1e-10"

START = {
    "pymc": {
        "seconds_per_gradient": 9e-5,
        "ess_per_gradient": 0.045,
        "draws_per_second": 1900,
        "ess_per_second": 500,
        "compile_s": 14.0,
        "rhat": 1.0,
        "gap": 0.004,
        "steps_per_second": 4200,
    },
    "numpyro": {
        "seconds_per_gradient": 2.2e-5,
        "ess_per_gradient": 0.052,
        "draws_per_second": 7000,
        "ess_per_second": 2400,
        "compile_s": 3.0,
        "rhat": 1.0,
        "gap": 0.003,
        "steps_per_second": 9000,
    },
}

# (first release of a new segment, metric, ratio)
PLANTED = (
    ("pymc-v4.0.1", "compile_s", 2.1),
    ("pymc-v4.0.1", "seconds_per_gradient", 0.62),
    ("pymc-v5.13.1", "seconds_per_gradient", 1.9),
    ("pymc-v5.28.5", "seconds_per_gradient", 0.4),
    ("pymc-v5.28.5", "compile_s", 0.45),
    ("pymc-v6.3.2", "ess_per_gradient", 1.12),
    ("pymc-v5.2.0", "gap", 0.06),
    ("numpyro-v0.16.1", "seconds_per_gradient", 1.35),
    ("numpyro-v0.19.0", "compile_s", 0.7),
)

FOLLOWS = {"draws_per_second": -1, "steps_per_second": -1, "ess_per_second": -1}
DIFFERENCE = ("rhat", "gap")


def releases(library, text, count=None):
    rows = [entry.split() for entry in text.split(",")][-(count or 99) :]
    found = []
    for k, (version, released) in enumerate(rows):
        package = "pymc3" if version.startswith("3.") else library
        engine = {"pymc3": "theano", "pymc": "pytensor", "numpyro": "jaxlib"}[package]
        packages = {
            package: version,
            engine: f"2.{k}.0",
            "numpy": f"1.{15 + k // 3}.0",
            "scipy": f"1.{1 + k // 4}.0",
            "six": "1.17.0",
        }
        stack = f"{package}-v{version}"
        python = "3.6.15" if version == "3.5" else "3.13.0"
        found.append(Release(stack, library, package, version, released, python, packages))
    return found


RELEASED = {
    release.stack: release.released
    for library, text in (("pymc", PYMC), ("numpyro", NUMPYRO))
    for release in releases(library, text)
}


def history(count=None, rounds=3):
    """History of 45 releases, or of the last `count` of each library."""
    line = releases("pymc", PYMC, count) + releases("numpyro", NUMPYRO, count)
    rng = np.random.default_rng(1)
    measurements = [
        _measurement(release, model, method, k, rng)
        for k in range(rounds)
        for release in line
        for model in MODELS.values()
        for method in ("nuts", "advi-matched")
    ]
    stacks = tuple(release.stack for release in line)
    machine = {"cpu": "Some CPU", "cores": "2", "platform": "Linux 6.1", "arviz-stats": "1.3"}
    anchors = (stacks[0], stacks[-1])
    sessions = (
        Session(
            "first",
            "2026-11-22T20:00:00",
            machine,
            anchors,
            stacks,
            tuple(range(rounds)),
            "close",
            ("unordered", "ordered"),
            ("nuts", "advi-matched"),
        ),
    )
    return History("quick", tuple(line), sessions, tuple(measurements))


def _measurement(release, model, method, k, rng):
    case = Case(
        "close", model, release.ppl, method, PROFILES["quick"].settings(method),
        release.stack, k,
    )  # fmt: skip
    common = {
        "case": case, "session": "first", "round": k, "began": f"2026-11-22T20:0{k}:00",
        "lock": "ab12", "environment": {"python": release.python},
    }  # fmt: skip
    if release.stack == FAILED:
        return Measurement(**common, valid=False, failure=MESSAGE)
    invalid = release.stack == INVALID and model.ordered and method == "nuts"
    metrics = dict.fromkeys(name for name, metric in METRICS.items() if metric.concerns(method))
    for name, start in START[release.ppl].items():
        if name in metrics:
            metrics[name] = _value(release, model, name, start, rng)
    return Measurement(
        **common,
        valid=not invalid,
        reasons=(REASON,) if invalid else (),
        labels="stuck" if not model.ordered and method == "nuts" else None,
        converged=None if method == "nuts" else bool(metrics["gap"] < 0.05),
        shims=("testval",) if release.package == "pymc3" else (),
        metrics=metrics,
    )


def _value(release, model, name, start, rng):
    if name == "rhat":
        return 1 + abs(rng.normal(0, 0.002 if model.ordered else 0.3))
    ratio = 1.0 if model.ordered else {"compile_s": 0.9}.get(name, 0.8)
    for stack, metric, size in PLANTED:
        if _reached(release, stack):
            power = (
                1 if metric == name else FOLLOWS.get(name, 0) * (metric == "seconds_per_gradient")
            )
            ratio *= size**power
    if name == "gap" and release.ppl == "pymc":
        ratio *= 12
    return float(start * ratio * np.exp(rng.normal(0, 0.03)))


def _reached(release, stack):
    return stack in RELEASED and release.ppl in stack and release.released >= RELEASED[stack]


def findings(made):
    """Findings of a made-up history: what was planted, as a finder would tell it."""
    series = [
        _series(made, library, model, name)
        for library in dict.fromkeys(release.ppl for release in made.releases)
        for name in START[library]
        for model in MODELS
    ]
    notices = []
    stacks = [release.stack for release in made.releases]
    if INVALID in stacks:
        notices += [
            Notice("pymc", INVALID, "density", ("ordered nuts",), (3, 3), REASON),
            Notice(
                "pymc", INVALID, "invalid", ("ordered nuts",), (3, 3),
                "bias_z 18.2 of larger mean exceeds 4.6",
            ),
        ]  # fmt: skip
    if FAILED in stacks:
        cases = tuple(f"{m} {method}" for m in MODELS for method in ("nuts", "advi-matched"))
        notices.append(Notice("numpyro", FAILED, "failed", cases, (12, 12), MESSAGE))
    for release in made.releases:
        if release.package == "pymc3":
            cases = ("unordered nuts", "ordered nuts")
            notices.append(
                Notice("pymc", release.stack, "shim", cases, (6, 6), "testval: 2018-07-21")
            )
    for release in made.releases:
        if release.ppl == "pymc" and not _reached(release, "pymc-v5.2.0"):
            notices.append(
                Notice(
                    "pymc", release.stack, "unconverged", ("unordered advi-matched",), (3, 3),
                    "gap above 0.05 nats",
                )
            )  # fmt: skip
    return Findings(tuple(notices), tuple(series))


def _series(made, library, model, name):
    method = "nuts" if METRICS[name].concerns("nuts") else "advi-matched"
    line = [release for release in made.releases if release.ppl == library]
    values, centre = [], []
    for release in line:
        some = tuple(
            item.metrics[name]
            for item in made.measurements
            if item.case.stack == release.stack
            and item.case.model.name == model
            and item.case.method == method
            and item.valid
        )
        values.append(some)
        centre.append((float(np.median(some)), min(some), max(some)) if some else None)
    stacks = tuple(release.stack for release in line)
    changes = tuple(
        _change(name, line, stacks, stack, metric, size)
        for stack, metric, size in PLANTED
        if stack in stacks[1:]
        and (metric == name or (name in FOLLOWS and metric == "seconds_per_gradient"))
    )
    scale = "difference" if name in DIFFERENCE else "ratio"
    none = (0.0, -0.01, 0.01) if name in DIFFERENCE else (1.0, 0.98, 1.02)
    steps = (None, *[none] * (len(stacks) - 1))
    return Series(
        library, "close", model, method, name, scale, stacks, tuple(values), tuple(centre), steps,
        changes, 0.03,
    )  # fmt: skip


def _change(name, line, stacks, stack, metric, size):
    new = stacks.index(stack)
    ratio = size if name == metric else 1 / size
    effect, step = (ratio, ratio * 0.95, ratio * 1.06), (ratio, ratio * 0.9, ratio * 1.1)
    if name in DIFFERENCE:
        effect = step = (-0.036, -0.04, -0.031)
    better = METRICS[name].better
    fell = log(ratio) < 0
    verdict = "improved" if fell == (better == "lower") else "regressed"
    old = line[new - 1].packages
    moved = tuple(
        f"{package} {old.get(package, 'none')} → {version}"
        for package, version in line[new].packages.items()
        if old.get(package) != version
    )
    return Change(stack, stacks[new - 1], verdict, effect, step, moved)


class Page(HTMLParser):
    """Tags, targets and text of a page, what stands in scripts and styles apart."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.targets, self.words, self.open = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open = tag
        self.targets += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        if self.open not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def whole():
    made = history()
    return made, findings(made)


@pytest.fixture(scope="module")
def path(tmp_path_factory, whole):
    return write_history_page(*whole, tmp_path_factory.mktemp("history") / "new")


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def undrawn(monkeypatch):
    """The still picture is not drawn, which is what takes time; nor is Plotly copied."""
    monkeypatch.setattr("gmixbench.report.style.png", lambda _: b"")
    monkeypatch.setattr("gmixbench.report.history_page.timeline", lambda *_: None)
    monkeypatch.setattr("gmixbench.report.history_page._plotly", lambda: "")


def _text(made, found, folder):
    return Page(write_history_page(made, found, folder).read_text(encoding="utf-8")).text


def test_page_is_one_file_with_a_picture_beside_it(path, page):
    assert sorted(file.name for file in path.parent.iterdir()) == ["history.html", "history.png"]
    assert all(target.startswith(("data:", "#")) for target in page.targets)
    assert "connect-src" not in path.read_text(encoding="utf-8")  # default-src 'none' rules
    assert path.stat().st_size < 7e6
    assert (path.parent / "history.png").stat().st_size < 4e5
    ids = set(re.findall(r'id="([^"]+)"', path.read_text(encoding="utf-8")))
    assert {target[1:] for target in page.targets if target.startswith("#")} <= ids


def test_first_words_tell_what_is_wrong_and_when_it_changed(page):
    before = page.text.index("What is wrong")
    first = page.text[:before]
    assert "PyMC: 1 release of wrong density (5.9.2); 3 changes in seconds per gradient." in first
    assert "Slower since 5.13.1 (2024-04, 1.9×)." in first
    assert "Faster since 4.0.1 (2022-06, 1.6×) and 5.28.5 (2026-05, 2.5×)." in first
    assert "NumPyro: no invalid release; 1 release failed (0.12.1); 1 change in" in first


def test_notices_stand_before_the_chart_and_changes_after_it(page):
    text = page.text
    assert text.index(REASON) < text.index("When it changed") < text.index("▼ regressed")
    assert MESSAGE in text
    assert "3.5, 3.6" not in text  # eight neighbours are told as one
    assert "3.5 to 3.11.5 (8 releases)" in text


def test_measuring_and_definitions_are_told(page):
    for word in ("Some CPU", "3 rounds a release", "profile quick", "3.00%"):
        assert word in page.text
    for metric in METRICS.values():
        assert " ".join(metric.definition.split()) in page.text


def test_changes_are_grouped_by_release_latest_first(whole):
    found = blocks(*whole)
    assert [block.released for block in found] == sorted(
        (block.released for block in found), reverse=True
    )
    slow = next(block for block in found if block.version == "5.13.1")
    assert slow.before == "5.10.4"
    assert "pytensor 2.16.0 → 2.17.0" in slow.dependencies
    assert not any(text.startswith("pymc ") for text in slow.dependencies)
    row = next(row for row in slow.rows if row.metric == "seconds per gradient")
    assert row.effect == "1.9× slower (1.80 to 2.01)"
    assert row.step == "1.9× slower (1.71 to 2.09)"


@pytest.mark.parametrize(
    ("metric", "verdict", "effect", "scale", "words"),
    [
        ("ess_per_second", "regressed", (0.5, 0.4, 0.6), "ratio", "2.0× slower (1.67 to 2.50)"),
        ("compile_s", "improved", (0.1, 0.08, 0.12), "ratio", "10× faster (8.33 to 12.5)"),
        ("compile_s", "changed", (2, 1.9, 2.1), "ratio", "2.0× higher (1.90 to 2.10)"),
        ("cpu_s", "improved", (0.9, 0.8, 0.9), "ratio", "−10\u00a0% (−20\u00a0% to −10\u00a0%)"),
        ("ess_per_gradient", "improved", (2, 1.9, 2.1), "ratio", "2.0× higher (1.90 to 2.10)"),
        ("peak_memory", "changed", (1.5, 1.5, 1.5), "ratio", "1.5× higher"),
        ("gap", "regressed", (0.5, -0.1, 0.6), "difference", "+0.500 (−0.100 to +0.600)"),
    ],
)  # fmt: skip
def test_sizes_in_words(metric, verdict, effect, scale, words):
    change = Change("b", "a", verdict, effect, effect, ())
    series = Series(
        "pymc", "close", "ordered", "nuts", metric, scale, ("a", "b"), ((), ()), (None, None),
        (None, None), (change,), 0.0,
    )  # fmt: skip
    assert how_much_with_interval(series, change) == words


def test_only_neighbours_are_told_as_a_span():
    line = ["1", "2", "3", "4", "5"]
    assert span(line[:4], line) == "1 to 4 (4 releases)"
    assert span(["1", "2", "3", "5"], line) == "1, 2, 3, 5"
    assert span([], line) == ""


def test_figure_is_what_plotly_knows_and_tells_each_release(whole):
    import plotly.graph_objects as go

    figure = interactive(*whole, "close")
    go.Figure(figure)  # names of properties and kinds of values
    text = json.dumps(figure, allow_nan=False)
    for release in whole[0].releases:
        assert release.released in text
    assert "3 rounds: " in text
    assert "<b>invalid</b> in 3 of 3 rounds" in text
    assert "with it: pytensor" in text
    assert {trace["meta"]["ppl"] for trace in figure["data"]} == {"pymc", "numpyro"}
    titles = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert all(pane.title in titles for pane in PANES if pane.method != "advi-library")


def test_invalid_and_failed_releases_show_no_value_but_a_mark(whole):
    figure = interactive(*whole, "close")
    lines = [
        trace
        for trace in figure["data"]
        if trace["mode"] == "lines+markers" and trace["meta"]["model"] == "ordered"
    ]
    gaps = {x for trace in lines for x, y in zip(trace["x"], trace["y"], strict=True) if y is None}
    assert gaps == {RELEASED[INVALID], RELEASED[FAILED]}
    crosses = [trace for trace in figure["data"] if "x" in trace["marker"]["symbol"]]
    assert {trace["meta"]["model"] for trace in crosses} == {"ordered"}
    assert len(crosses) == 1 + sum(pane.method == "nuts" for pane in PANES)


def test_verdict_of_a_release_is_the_worst_of_its_rounds(whole):
    found = {case.name: stacks for case, stacks in standings(whole[0]).items()}
    assert found["PyMC ordered NUTS"][INVALID].verdict == "invalid"
    assert found["PyMC ordered NUTS"][INVALID].reasons == (REASON,)
    assert found["PyMC unordered NUTS"][INVALID].verdict == "valid"
    assert found["NumPyro ordered ADVI"][FAILED].verdict == "failed"


@pytest.mark.usefixtures("undrawn")
def test_text_of_others_stays_text(tmp_path, whole):
    made, found = whole
    evil = "</script><script>alert(1)</script>"
    items = tuple(replace(m, reasons=(evil,)) if m.reasons else m for m in made.measurements)
    notices = (replace(found.notices[0], message=evil),)
    target = write_history_page(
        replace(made, measurements=items), replace(found, notices=notices), tmp_path
    )
    text = target.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    (figure,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)
    assert "<" not in figure


@pytest.mark.usefixtures("undrawn")
def test_quiet_and_empty_histories_say_so(tmp_path):
    made = history(2)
    found = findings(made)
    quiet = Findings((), tuple(replace(series, changes=()) for series in found.series))
    text = _text(made, quiet, tmp_path / "quiet")
    assert "right in every case and round" in text
    assert "No change was seen" in text
    assert "no invalid release; no change seen in seconds per gradient" in text
    nothing = _text(History("quick", (), (), ()), Findings((), ()), tmp_path / "nothing")
    assert "Nothing was measured." in nothing
    assert "No release was measured." in nothing


@pytest.mark.usefixtures("undrawn")
def test_where_nothing_could_be_seen_nothing_is_said_of_changes(tmp_path):
    made = history(2, rounds=1)
    found = findings(made)
    blind = [
        replace(s, changes=(), steps=(None,) * len(s.stacks), false_alarms=None)
        for s in found.series
    ]
    found = replace(found, series=tuple(blind))
    text = _text(made, found, tmp_path)
    assert "seconds per gradient not judged (one round)" in text
    assert "Changes were not judged" in text
    assert "no change" not in text.lower()
    assert "Share of histories" not in text
    console = Console(width=160, record=True, file=io.StringIO())
    for table in history_tables(made, found):
        console.print(table)
    assert "not judged (one round)" in console.export_text()


@pytest.mark.parametrize(
    ("kind", "message", "words"),
    [
        ("invalid", "bias: mean of the smaller mean is -0.61", "wrong posterior"),
        ("invalid", "not enough evidence: ESS 300 of the smaller mean", "invalid"),
        ("invalid", "numpy 2.1 stands there and not 2.0 of the lock", "invalid"),
        ("density", REASON, "wrong density"),
        ("failed", MESSAGE, "failed"),
    ],
)
def test_only_a_bias_is_called_a_wrong_posterior(kind, message, words):
    notice = Notice("pymc", INVALID, kind, ("ordered nuts",), (3, 3), message)
    assert label(notice) == words
    (remark,) = remarks(history(1), [notice])
    assert remark.label == words


def _drawn(made, found):
    with style.house_style():
        return timeline(made, found)


@pytest.mark.parametrize("count", [1, 2])
def test_few_releases_are_drawn(count):
    made = history(count)
    drawing = _drawn(made, findings(made))
    assert len(drawing.axes) == 9
    assert all(axes.get_title(loc="left") and axes.lines for axes in drawing.axes)
    found = interactive(made, findings(made), "close")
    assert len(found["data"]) >= 2 * count


def test_a_release_alone_is_drawn():
    made = history(1, rounds=1)
    assert _drawn(replace(made, releases=made.releases[:1]), Findings((), ())).axes


def _crowded(made, found):
    """The same findings, with a change of PyMC's seconds per gradient at each release."""
    line = releases("pymc", PYMC)
    stacks = tuple(release.stack for release in line)
    name = "seconds_per_gradient"
    changes = tuple(_change(name, line, stacks, stack, name, 1.9) for stack in stacks[1:])
    series = tuple(
        replace(one, changes=changes) if (one.ppl, one.metric) == ("pymc", name) else one
        for one in found.series
    )
    return made, replace(found, series=series)


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [lambda *some: some, _crowded], ids=["planted", "crowded"])
def test_picture_is_readable(crowd, whole):
    drawing = _drawn(*crowd(*whole))
    texts = [text for axes in drawing.axes for text in axes.texts if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 7.5
    by_axes = [[text.get_window_extent() for text in axes.texts] for axes in drawing.axes]
    for boxes in by_axes:
        for k, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[k + 1 :])


@pytest.mark.parametrize("ratio", [1.45, 2, 3, 7, 100, 1e4, 1e9])
def test_axes_have_a_handful_of_round_ticks(ratio):
    counts = [len(ticks(low, low * ratio)) for low in (1e-6, 0.037, 1.51, 4100)]
    assert 2 <= min(counts) <= max(counts) <= 10


def test_labels_are_thinned_first_last_and_new_majors_kept():
    line = releases("pymc", PYMC)
    kept = [release.version for release in thinned(line, 200)]
    assert {"3.5", "4.0.1", "5.0.2", "6.4.0"} <= set(kept)
    assert len(kept) < len(line)
    assert thinned(line, 0) != []


def test_gap_of_zero_stands_at_the_foot_of_its_log_scale(whole):
    made, found = whole
    series = next(s for s in found.series if s.metric == "gap")
    zero = replace(series, centre=((-1e-7, -2e-7, 1e-7), *series.centre[1:]))
    low, high = bounds(next(pane for pane in PANES if pane.metric == "gap"), [zero])
    assert 0 < low < high
    _drawn(made, replace(found, series=(zero,)))
    assert json.dumps(interactive(made, replace(found, series=(zero,)), "close"), allow_nan=False)


def test_terminal_tells_notices_changes_and_the_last_release(whole):
    console = Console(width=160, record=True, file=io.StringIO())
    for table in history_tables(*whole):
        console.print(table)
    text = console.export_text()
    assert text.index(REASON) < text.index("1.9× slower") < text.index("PyMC 6.4.0 (2026-11-01)")
    assert "none seen: +0.0 % (−2 % to +2 %)".replace(" %", "\u00a0%") in text
    assert list(history_tables(History("quick", (), (), ()), Findings((), ()))) == []


def test_where_there_are_two_data_sets_a_change_names_its_own(tmp_path):
    made = history(8, rounds=1)
    found = findings(made)
    first, *others = made.measurements
    elsewhere = replace(first, case=replace(first.case, dataset="separated"))
    made = replace(made, measurements=(elsewhere, first, *others))
    told = write_history_markdown(made, found, tmp_path).read_text(encoding="utf-8")
    assert "| unordered NUTS on close |" in told
    console = Console(width=200, record=True, file=io.StringIO())
    for table in history_tables(made, found):
        console.print(table)
    assert "unordered NUTS on close" in console.export_text()
    assert blocks(made, found)[0].rows[0].case.endswith(" on close")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ((1.01, 0.98, 1.04), "none seen: +1\u00a0% (−2\u00a0% to +4\u00a0%)"),
        ((1.10, 1.05, 1.15), "inconclusive: +10\u00a0% (+5\u00a0% to +15\u00a0%)"),
        ((1.0, 1.0, 1.0), "the same runs"),
        (None, "not judged (one round)"),
    ],
)
def test_what_is_said_of_the_last_release(step, said):
    series = Series(
        "pymc", "close", "ordered", "nuts", "compile_s", "ratio", ("a", "b"), ((), ()),
        (None, None), (None, step), (), 0.0,
    )  # fmt: skip
    assert _said(series, replace(releases("pymc", PYMC, 1)[0], stack="b")) == said


def test_markdown_tells_notices_changes_sessions_and_releases(whole, tmp_path):
    made, found = whole
    notices = (replace(found.notices[0], message="this | that"), *found.notices[1:])
    path = write_history_markdown(made, replace(found, notices=notices), tmp_path)
    parts = re.split(r"^#+ (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert parts[1::2] == [
        "History", "What is wrong, or special", "What changed, and when", "Sessions", "Releases"
    ]  # fmt: skip
    first, wrong, changed, sessions, released = parts[2::2]
    assert "**PyMC: 1 release of wrong density (5.9.2); 3 changes in" in first
    assert "| PyMC 5.9.2 | wrong density | ordered NUTS | 3 of 3 | this \\| that |" in wrong
    assert (
        "| PyMC 5.13.1 | 2024-04-15 | seconds per gradient | ordered NUTS | regressed "
        "| 1.9× slower (1.80 to 2.01) | 1.9× slower (1.71 to 2.09) | pytensor 2.16.0 → 2.17.0 |"
    ) in changed
    dates = re.findall(r"\d{4}-\d\d-\d\d", changed)
    assert dates == sorted(dates, reverse=True)
    assert "| first | Some CPU, 2 cores | ArviZ 1.3 | 3 | 45 | pymc3-v3.5, " in sessions
    assert "| PyMC 3.5 | 2018-07-21 | 3.6.15 | 1.15.0 | theano 2.0.0 |" in released
    assert released.count("\n|") == 47  # under a heading and its rule


def test_tidy_has_a_row_for_each_case_round_and_metric(whole):
    made, _ = whole
    rows = tidy(made)
    assert all(list(row) == list(COLUMNS) for row in rows)
    keys = {(r["stack"], r["model"], r["method"], r["round"], r["metric"]) for r in rows}
    assert len(keys) == len(rows)
    nuts = sum(metric.concerns("nuts") for metric in METRICS.values())
    advi = sum(metric.concerns("advi-matched") for metric in METRICS.values())
    assert len(rows) == 45 * 2 * 3 * (nuts + advi)
    failed = [row for row in rows if row["stack"] == FAILED]
    assert all(row["value"] is None and row["failure"] == MESSAGE for row in failed)


def test_tidy_gives_no_number_that_is_not_finite():
    made = history(1, rounds=1)
    item = next(m for m in made.measurements if m.case.method == "nuts" and m.metrics)
    odd = replace(item, metrics=item.metrics | {"rhat": float("inf")})
    rows = tidy(replace(made, measurements=(odd,)))
    assert [row["value"] for row in rows if row["metric"] == "rhat"] == [None]


def test_tidy_gives_no_speed_without_truth(whole):
    wrong = [row for row in tidy(whole[0]) if not row["valid"] and row["failure"] is None]
    assert {row["reasons"] for row in wrong} == {REASON}
    assert all(row["value"] is None for row in wrong if METRICS[row["metric"]].speed)
    assert any(row["value"] is not None for row in wrong if row["metric"] == "rhat")


def _from_csv(cell, kind):
    if cell == "":
        return None
    return cell == "true" if kind is bool else kind(cell)


def test_all_formats_hold_the_same_rows(tmp_path):
    made = history(3)
    odd = replace(made.measurements[0], valid=False, failure='a "quoted", broken\nline')
    rows = tidy(replace(made, measurements=(odd, *made.measurements[1:])))
    for form in ("csv", "json", "parquet"):
        write_tidy(rows, tmp_path / f"rows.{form}", form)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        read = [
            {name: _from_csv(cell, COLUMNS[name]) for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]
    assert read == rows
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == rows
    assert parquet.read_table(tmp_path / "rows.parquet").to_pylist() == rows
    write_tidy([], tmp_path / "none.parquet", "parquet")
    assert parquet.read_schema(tmp_path / "none.parquet").names == list(COLUMNS)


def test_format_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(FormatError, match="choose from csv, parquet, json"):
        write_tidy([], tmp_path / "rows", "xlsx")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FormatError, match=re.escape("pip install 'gmixbench[parquet]'")):
        write_tidy([], tmp_path / "rows", "parquet")
    assert list(tmp_path.iterdir()) == []


PROBE = """
<script>addEventListener("load", () => {
  const box = document.querySelector("[value=numpyro]");
  const hidden = () => document.querySelector(".plot").data.filter((t) => t.visible === false);
  box.click();
  const alone = new Set(hidden().map((trace) => trace.meta.ppl));
  const seen = document.createElement("pre");
  seen.id = "seen";
  seen.textContent = [document.querySelectorAll(".plot .scatterlayer .trace").length,
    [...alone].join(), document.documentElement.scrollWidth - innerWidth].join(";");
  document.body.append(seen);
});</script></body>
"""


def _chromium(path, profile):
    browser = shutil.which("chromium")
    assert browser, "this test opens the page in Chromium, which is not on PATH"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--disable-background-networking", f"--user-data-dir={profile}"]
    command += ["--enable-logging=stderr", "--v=0", "--window-size=1000,900", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.browser
def test_chromium_draws_the_chart_without_a_word(path, tmp_path):
    copy = tmp_path / "probed.html"
    head, _, _ = path.read_text(encoding="utf-8").rpartition("</body>")
    copy.write_text(head + PROBE, encoding="utf-8")
    done = _chromium(copy, tmp_path / "profile")
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    drawn, hidden, over = re.search(r'<pre id="seen">(.*);(.*);(.*)</pre>', done.stdout).groups()
    assert int(drawn) > 20
    assert hidden == "numpyro"
    assert int(over) <= 0


def test_sizes_of_one_release_are_told_in_one_notation_and_beside_what():
    line = releases("pymc", PYMC, 3)
    a, b, c = (release.stack for release in line)
    sizes = [(1 / 1.6, 0.5, 0.7), (0.68, 0.6, 0.8)]
    found = tuple(
        Series(
            "pymc", "close", model, "nuts", "seconds_per_gradient", "ratio", (a, b, c), ((),) * 3,
            (None,) * 3, (None,) * 3, (Change(c, a, "improved", size, size, ()),), 0.0,
        )
        for model, size in zip(("unordered", "ordered"), sizes, strict=True)
    )  # fmt: skip
    made = History("quick", tuple(line), (), ())
    (said,) = headline(made, Findings((), found))
    since, month = line[2].version, line[2].released[:7]
    assert f"since {since} ({month}, 1.5× to 1.6× beside {line[0].version})." in said.told
    beside = replace(found[0], changes=(replace(found[0].changes[0], before=b),))
    (said,) = headline(made, Findings((), (beside,)))
    assert f"since {since} ({month}, 1.6×)." in said.told

import base64
import re
import shutil
import subprocess
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from gmixbench.record import Failure
from gmixbench.report import chains, style
from gmixbench.report.page import write_report
from gmixbench.report.panel import panels
from gmixbench.ruler.metrics import METRICS

FIGURES = {"trace", "joint", "autocorrelation", "ranks", "agreement", "loss", "approximation"}


class Page(HTMLParser):
    """Images, links and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.images, self.tags, self.targets, self.words = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attributes = dict(attrs)
        if tag == "img":
            self.images.append(attributes)
        self.targets += [attributes[name] for name in ("href", "src") if name in attributes]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def path(tmp_path_factory, exact, results):
    case = replace(results[0].run.case, backend="blackjax")
    message = "<script>alert(1)</script> got an unexpected keyword argument"
    failure = Failure(case, "exception", message, "Traceback ...")
    out = tmp_path_factory.mktemp("report") / "new"
    return write_report(out, results, [failure], {"close": exact}, {"python": "3.13.0", "cpu": "X"})


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def _write(tmp_path, exact, results):
    path = write_report(tmp_path, results, [], {"close": exact}, {})
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made but not turned into pixels, which is what takes time."""
    monkeypatch.setattr("gmixbench.report.style.png", lambda _: b"")


def test_all_figures_are_in_the_page_and_beside_it(path, page):
    files = {file.stem: file.read_bytes() for file in (path.parent / "figures").glob("*.png")}
    models = ("unordered", "ordered")
    named = {f"close-{model}-{figure}" for model in models for figure in FIGURES}
    assert set(files) == named | {"close-data"}
    embedded = [base64.b64decode(image["src"].split(",", 1)[1]) for image in page.images]
    assert sorted(embedded) == sorted(files.values())
    assert all(len(image["alt"]) > 40 for image in page.images)
    assert page.text.count("?") >= len(page.images)  # each caption asks


def test_page_needs_no_network_and_no_script_and_is_light(path, page):
    assert "script" not in page.tags
    assert "link" in page.tags  # the empty icon, so that no browser asks for one
    assert all(target.startswith(("data:", "#")) for target in page.targets)
    assert path.stat().st_size < 6e6


def test_links_lead_somewhere(path, page):
    ids = set(re.findall(r'id="([^"]+)"', path.read_text(encoding="utf-8")))
    assert {target[1:] for target in page.targets if target.startswith("#")} <= ids


def test_headline_counts_and_failure_tells_its_message(page):
    assert "13 cases: 11 valid, 1 invalid, 1 failed" in page.text
    assert "Labels stuck in 1 of 2 unordered NUTS runs (pymc on close)" in page.text
    assert "<script>alert(1)</script> got an unexpected keyword argument" in page.text


def test_definitions_and_environments_are_told(page):
    for metric in METRICS.values():
        assert metric.name in page.text
        assert " ".join(metric.definition.split()) in page.text
    assert "a named shim" in page.text
    assert "1.2.3" in page.text


@pytest.mark.usefixtures("undrawn")
def test_invalid_run_shows_no_speed_but_its_reason(tmp_path, exact, nuts):
    run = nuts(draws=300, crossings=0.2)
    speeds = {name: 76543.0 for name, metric in METRICS.items() if metric.speed}
    shown = replace(run, scores=replace(run.scores, metrics={**run.scores.metrics, **speeds}))
    assert "76,500" in _write(tmp_path / "valid", exact, [shown]).text
    verdict = replace(run.verdict, valid=False, reasons=("the density is wrong",))
    page = _write(tmp_path / "invalid", exact, [replace(shown, verdict=verdict)])
    assert "76,500" not in page.text
    assert "the density is wrong" in page.text
    assert "✗ invalid" in page.text


def test_figure_of_an_invalid_run_shows_no_speed(exact, nuts):
    def texts(judged):
        with style.house_style():
            drawing = chains.agreement(panels([judged]), exact)
        found = [text.get_text() for axes in drawing.axes for text in axes.texts]
        return found, sum(len(axes.patches) for axes in drawing.axes)

    run = nuts(draws=300)
    speed = {**run.scores.metrics, "ess_per_second": 76543.0}
    run = replace(run, scores=replace(run.scores, metrics=speed))
    words, bars = texts(run)
    assert "76,500" in words
    assert bars == 1
    words, bars = texts(replace(run, verdict=replace(run.verdict, valid=False)))
    assert "76,500" not in words
    assert "not shown: invalid" in words
    assert bars == 0


@pytest.mark.parametrize(
    ("chains", "draws"), [(1, 10), (8, 500), pytest.param(8, 20_000, marks=pytest.mark.slow)]
)
def test_one_and_eight_chains(tmp_path, exact, nuts, chains, draws):
    run = nuts(chains=chains, draws=draws, crossings=0.05)
    begun = time.monotonic()
    page = _write(tmp_path, exact, [run])
    assert len(page.images) == 6
    assert time.monotonic() - begun < 15  # takes two


def _some_not_finite(means):
    means[0, 5:] = np.nan


def _all_not_finite(means):
    means.fill(np.nan)


def _one_value(means):
    means[...] = means[0, 0]


def _far_away(means):
    means[1] = 1e300


@pytest.mark.parametrize("model", ["unordered", "ordered"])
def test_broken_draws_are_shown_all_the_same(tmp_path, exact, nuts, model):
    spoils = (_some_not_finite, _one_value, _far_away)
    page = _write(tmp_path, exact, [nuts(model, draws=100, spoil=spoil) for spoil in spoils])
    assert len(page.images) == 6


def test_draws_of_which_none_is_finite_are_shown_all_the_same(tmp_path, exact, nuts):
    page = _write(tmp_path, exact, [nuts(draws=100, spoil=_all_not_finite)])
    assert len(page.images) == 6


def test_broken_fit_is_shown_all_the_same(tmp_path, exact, advi):
    run = advi(steps=100)
    fit = replace(run.run.result, trace=np.full(100, np.nan), means=np.full((50, 2), np.nan))
    metrics = {**run.scores.metrics, "loss": np.nan, "gap": None, "kl": None}
    broken = replace(
        run,
        run=replace(run.run, result=fit),
        scores=replace(run.scores, metrics=metrics),
        verdict=replace(run.verdict, valid=False, reasons=("no finite loss",)),
    )
    page = _write(tmp_path, exact, [broken])
    assert "no finite loss" in page.text
    assert len(page.images) == 3


@pytest.mark.usefixtures("undrawn")
def test_runs_that_differ_have_names_that_differ(tmp_path, exact, nuts):
    runs = [nuts(draws=100, seed=seed) for seed in range(4)]
    page = _write(tmp_path, exact, runs)
    assert all(f"pymc · seed {seed}" in page.text for seed in range(4))
    assert len(page.images) == 2 * 4 + 2  # four runs take two figures, R-hat and the data one


def test_report_of_nothing_says_so(tmp_path):
    page = Page(write_report(tmp_path, [], [], {}, {}).read_text(encoding="utf-8"))
    assert "0 cases: 0 valid." in page.text
    assert "No case was measured." in page.text


@pytest.mark.usefixtures("undrawn")
def test_data_set_with_an_odd_name_stays_in_its_folder(tmp_path, exact, nuts):
    run = nuts(draws=100, dataset="../my <data>.csv")
    path = write_report(tmp_path, [run], [], {"../my <data>.csv": exact}, {})
    assert len(list((tmp_path / "figures").glob("*.png"))) == 6
    assert "my <data>.csv" in Page(path.read_text(encoding="utf-8")).text


def test_folder_that_cannot_be_written_is_an_os_error(tmp_path, exact, nuts):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write_report(tmp_path / "file", [nuts(draws=100)], [], {"close": exact}, {})


def _chromium(path, profile, *options):
    browser = shutil.which("chromium")
    assert browser, "this test opens the report in Chromium, which is not on PATH"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--disable-background-networking", f"--user-data-dir={profile}", *options]
    return subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )


def _complaints(path, profile):
    """What the page made the browser write to its console."""
    done = _chromium(path, profile, "--enable-logging=stderr", "--v=0")
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def _look(path, profile):
    """Widths of all images once loaded, and how far the page is wider than a narrow window."""
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    probe = (
        "<script>addEventListener('load', () => { const seen = document.createElement('pre');"
        "seen.id = 'seen'; seen.textContent = [...document.images].map(i => i.naturalWidth).join()"
        "+ ';' + (document.documentElement.scrollWidth - innerWidth);"
        "document.body.append(seen); });</script></body>"
    )
    copy = profile / "probed.html"
    text = policy.sub("", path.read_text(encoding="utf-8"))
    copy.write_text(text.replace("</body>", probe), encoding="utf-8")
    done = _chromium(copy, profile, "--window-size=700,900")
    widths, over = re.search(r'<pre id="seen">(.*);(.*)</pre>', done.stdout).groups()
    return [int(width) for width in widths.split(",")], int(over)


@pytest.mark.browser
def test_chromium_loads_every_image_without_a_word(path, page, tmp_path):
    assert _complaints(path, tmp_path) == []
    widths, over = _look(path, tmp_path)
    assert len(widths) == len(page.images)
    assert min(widths) > 1000
    assert over <= 0


@pytest.mark.browser
def test_chromium_would_tell_of_a_broken_page(tmp_path):
    path = tmp_path / "broken.html"
    path.write_text(
        "<body><img src='data:image/png;base64,AAAA'><script>nothing.here()</script></body>"
    )
    assert _complaints(path, tmp_path)
    assert _look(path, tmp_path)[0] == [0]

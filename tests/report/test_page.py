import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from gmixbench.record import Failure
from gmixbench.report import chains, style
from gmixbench.report.fits import fits
from gmixbench.report.numbers import number
from gmixbench.report.page import write_report
from gmixbench.report.panel import panels
from gmixbench.ruler.metrics import METRICS

FIGURES = {
    "trace", "joint", "autocorrelation", "ranks", "agreement", "fits", "loss", "approximation",
}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory, exact, results):
    case = replace(results[0].run.case, backend="blackjax")
    message = "<script>alert(1)</script> got an unexpected keyword argument"
    failure = Failure(case, "exception", message, "Traceback ...")
    out = tmp_path_factory.mktemp("report") / "new"
    return write_report(out, results, [failure], {"close": exact}, {"python": "3.13.0", "cpu": "X"})


@pytest.fixture(scope="module")
def page(path, read_page):
    return read_page(path)


@pytest.fixture
def write(tmp_path, exact, read_page, coarse):  # noqa: ARG001  # which it draws with
    def write(name, results):
        return read_page(write_report(tmp_path / name, results, [], {"close": exact}, {}))

    return write


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
    assert "the two means are unknown, standard deviation and weights known." in page.text
    assert "no exact posterior" not in " ".join(page.text.split())


def test_all_families_stand_side_by_side(exact, advi, normal):
    """Each in its own shape; the trace of none but ADVI is drawn."""
    for model in ("unordered", "ordered"):
        some = [advi(model), normal("pathfinder", model), normal("laplace", model)]
        with style.house_style():
            drawing = fits(panels(some), exact)
        assert len(drawing.axes) == (3 if model == "ordered" else 4)
        shapes = {
            line.get_marker() for line in drawing.axes[0].lines if line.get_marker() != "None"
        }
        assert shapes == {"o", "^", "D"}
        texts = [text.get_text() for text in drawing.axes[1].texts]
        assert texts == [f"{one.scores.metrics['kl']:.3f}" for one in some]


@pytest.mark.usefixtures("undrawn")
def test_fits_that_are_no_advi_are_in_the_page(write, normal):
    page = write("fits", [normal("pathfinder", "unordered"), normal("laplace", "unordered")])
    assert len(page.images) == 3  # data, fits, approximation
    assert "Fitted normals" in page.text
    assert "Pareto k" in page.text
    assert "in one mode" in page.text
    assert "ADVI came within" not in page.text
    assert "unordered on close, " not in page.text
    assert "numpyro · laplace" in page.text


@pytest.mark.usefixtures("undrawn")
def test_a_method_that_all_fits_have_is_told_once(write, normal):
    page = write("one", [normal("laplace", "unordered")])
    assert "unordered on close, laplace" in page.text


@pytest.mark.usefixtures("undrawn")
def test_invalid_run_shows_no_speed_but_its_reason(write, nuts):
    run = nuts(draws=300, crossings=0.2)
    speeds = {name: 76543.0 for name, metric in METRICS.items() if metric.speed}
    shown = replace(run, scores=replace(run.scores, metrics={**run.scores.metrics, **speeds}))
    assert "76,500" in write("valid", [shown]).text
    verdict = replace(run.verdict, valid=False, reasons=("the density is wrong",))
    page = write("invalid", [replace(shown, verdict=verdict)])
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chains", "draws"), [(1, 10), (8, 500), pytest.param(8, 20_000, marks=pytest.mark.slow)]
)
def test_one_and_eight_chains(write, nuts, chains, draws):
    run = nuts(chains=chains, draws=draws, crossings=0.05)
    page = write("page", [run])
    assert len(page.images) == 6


def _some_not_finite(means):
    means[0, 5:] = np.nan


def _all_not_finite(means):
    means.fill(np.nan)


def _one_value(means):
    means[...] = means[0, 0]


def _far_away(means):
    means[1] = 1e300


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unordered", "ordered"])
def test_broken_draws_are_shown_all_the_same(write, nuts, model):
    spoils = (_some_not_finite, _one_value, _far_away)
    page = write("page", [nuts(model, draws=100, spoil=spoil) for spoil in spoils])
    assert len(page.images) == 6


def test_draws_of_which_none_is_finite_are_shown_all_the_same(write, nuts):
    page = write("page", [nuts(draws=100, spoil=_all_not_finite)])
    assert len(page.images) == 6


def test_broken_fit_is_shown_all_the_same(write, advi):
    run = advi(steps=100)
    fit = replace(run.run.result, trace=np.full(100, np.nan), means=np.full((50, 2), np.nan))
    metrics = {**run.scores.metrics, "loss": np.nan, "gap": None, "kl": None}
    broken = replace(
        run,
        run=replace(run.run, result=fit),
        scores=replace(run.scores, metrics=metrics),
        verdict=replace(run.verdict, valid=False, reasons=("no finite loss",)),
    )
    page = write("page", [broken])
    assert "no finite loss" in page.text
    assert len(page.images) == 4


@pytest.mark.usefixtures("undrawn")
def test_runs_that_differ_have_names_that_differ(write, nuts):
    runs = [nuts(draws=100, seed=seed) for seed in range(4)]
    page = write("page", runs)
    assert all(f"pymc · seed {seed}" in page.text for seed in range(4))
    assert len(page.images) == 2 * 4 + 2  # four runs take two figures, R-hat and the data one


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_of_many_runs_one_a_row_is_drawn_and_all_are_told(write, nuts):
    names = [f"backend-{k}" for k in range(5)]
    runs = [nuts("ordered", name, draws=100, seed=seed) for seed in (2, 1, 3) for name in names]
    page = write("page", runs)
    assert "one run a row, that of its least seed; 10 more are in the tables" in page.text
    assert len(page.images) == 2 * 4 + 2  # as of five runs
    told = " ".join(image["alt"] for image in page.images)
    assert all(f"{name}: " in told for name in names)
    assert all(f"{name} · seed {seed}" in page.text for name in names for seed in (1, 2, 3))
    assert "one run a row" not in write("few", runs[:12]).text


@pytest.mark.usefixtures("undrawn")
def test_what_marginalizing_buys_stands_side_by_side(write, nuts):
    def of(judged, likelihood):
        case = replace(judged.run.case, likelihood=likelihood)
        known = None if likelihood == "discrete" else judged.run.density
        return replace(judged, run=replace(judged.run, case=case, density=known))

    plain, wrong = nuts("ordered", draws=300), nuts("ordered", draws=300, shift=1.0)
    page = write("page", [plain, of(plain, "logsumexp"), of(wrong, "discrete")])
    speed = number(plain.scores.metrics["ess_per_second"])
    assert "What marginalizing the labels buys: ordered on close" in page.text
    assert f"mixture logsumexp discrete pymc {speed} {speed} invalid" in " ".join(page.text.split())
    assert "pymc, discrete" in page.text
    alone = write("alone", [plain])
    assert "What marginalizing the labels buys" not in alone.text


def test_report_of_nothing_says_so(tmp_path, read_page):
    page = read_page(write_report(tmp_path, [], [], {}, {}))
    assert "0 cases: 0 valid." in page.text
    assert "No case was measured." in page.text


@pytest.mark.usefixtures("undrawn")
def test_data_set_with_an_odd_name_stays_in_its_folder(tmp_path, exact, nuts, read_page):
    run = nuts(draws=100, dataset="../my <data>.csv")
    path = write_report(tmp_path, [run], [], {"../my <data>.csv": exact}, {})
    assert len(list((tmp_path / "figures").glob("*.png"))) == 6
    assert "my <data>.csv" in read_page(path).text


def test_folder_that_cannot_be_written_is_an_os_error(tmp_path, exact, nuts):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write_report(tmp_path / "file", [nuts(draws=100)], [], {"close": exact}, {})


@pytest.mark.browser
def test_chromium_loads_every_image_without_a_word(path, page, browser):
    assert browser.complaints(path) == []
    widths, over = browser.look(path)
    assert len(widths) == len(page.images)
    assert min(widths) > 1000
    assert over <= 0


@pytest.mark.browser
def test_chromium_would_tell_of_a_broken_page(tmp_path, browser):
    path = tmp_path / "broken.html"
    path.write_text(
        "<body><img src='data:image/png;base64,AAAA'><script>nothing.here()</script></body>"
    )
    assert browser.complaints(path)
    assert browser.look(path)[0] == [0]

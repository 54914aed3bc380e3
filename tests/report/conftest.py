"""Judged runs made up for the report: sound, stuck, broken and failed ones, in milliseconds.

And what its pages are read with: a parser, and a browser.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gmixbench.record import Counters, Density, Draws, Fit, Run, Timing
from gmixbench.ruler.verdict import Judged, judge
from gmixbench.spec import MODELS, PROFILES, AdviSettings, Case, NutsSettings
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

POINTS = np.array([[-1.0, 0.5], [0.3, 1.1]])


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw all of a figure, on few pixels: a page of its own is looked at as it is."""
    monkeypatch.setattr("gmixbench.report.style.DPI", 36)


def make_exact(distance: float = 2.0, n: int = 100) -> Exact:
    """Exact posterior of made-up data whose components stand so far apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(distance * (rng.integers(0, 2, n) - 0.5), 1)
    return solve(x, MODELS["unordered"])


def _run(exact: Exact, case: Case, timing: Timing, result: Draws | Fit) -> Run:
    values, gradients = density.log_density(case.model, exact.x, POINTS)
    versions = {"python": "3.13.0", case.backend: "1.2.3", "numpy": "2.4.0"}
    agreed = Density(POINTS, values, gradients)
    return Run(case, timing, Counters(9000, 60000, 3), agreed, result, versions, ("a named shim",))


def make_nuts(
    exact: Exact,
    model: str = "unordered",
    backend: str = "pymc",
    *,
    chains: int = 4,
    draws: int = 1000,
    crossings: float = 0.0,
    shift: float = 0.0,
    seed: int = 0,
    dataset: str = "close",
    spoil: Callable[[NDArray[np.float64]], object] | None = None,
) -> Judged:
    """Independent draws of which chain c starts in mode c mod 2 and crosses at a rate per draw.

    With no crossings labels are stuck; with a shift (data units) the run is invalid. `spoil`
    changes the means, shape (chains, draws, 2), in place once they are judged: a broken run.
    """
    rng = np.random.default_rng([seed, *backend.encode()])
    case = Case(
        dataset, MODELS[model], backend, "nuts", NutsSettings(chains=chains, draws=draws), seed=seed
    )
    means = exact.draws(MODELS["ordered"], chains * draws, rng).reshape(chains, draws, 2) + shift
    if model == "unordered":
        start = np.arange(chains)[:, None]
        mirrored = (start + np.cumsum(rng.random((chains, draws)) < crossings, axis=1)) % 2 == 1
        means[mirrored] = means[mirrored][:, ::-1]
    sample = chains * draws / 2345.6
    timing = Timing(0.9, 0.02, 4.21, 0.5 * sample, sample, None, 6 + 2 * sample, 5.5, 2**29)
    nothing = np.zeros((chains, draws), dtype=bool)
    judged = judge(_run(exact, case, timing, Draws(means, diverging=nothing)), exact)
    if spoil is not None:
        spoil(means)
        return without_validity(judged)
    return judged


def make_advi(
    exact: Exact,
    model: str = "unordered",
    backend: str = "pymc",
    method: str = "advi-matched",
    *,
    steps: int = 15000,
    dataset: str = "close",
) -> Judged:
    """A fit near the best mean-field normal, less so by `advi-library`; its trace wanders."""
    rng = np.random.default_rng([*backend.encode(), *method.encode()])
    matched = method == "advi-matched"
    settings = AdviSettings(steps, optimizer="adam" if matched else "library")
    case = Case(dataset, MODELS[model], backend, method, settings)
    best = exact.best_normal(case.model, "mean-field")
    scale = np.diag(best.cholesky)
    location = best.location + (0.1 if matched else 0.4) * scale
    wander = np.cumsum(rng.normal(0, 0.003, steps))
    descent = 60 * np.exp(-np.arange(steps) / (0.06 * steps))
    trace = best.loss + 0.03 + descent + wander + rng.normal(0, 0.8, steps)
    points = location + scale * rng.normal(size=(10000, 2))
    fit = Fit(trace, location, best.cholesky, density.constrain(case.model, points))
    timing = Timing(0.9, 0.02, 3.2, None, None, steps / 4321, 9.0, 5.5, 2**29)
    return judge(_run(exact, case, timing, fit), exact)


def make_normal(exact: Exact, method: str, model: str = "unordered") -> Judged:
    """Laplace's normal, as Laplace found it or Pathfinder came near it."""
    settings = PROFILES["quick"].settings(method)
    case = Case("close", MODELS[model], "numpyro", method, settings)
    normal = exact.laplace(case.model)
    assert normal is not None
    factor = normal.cholesky if method == "laplace" else 1.2 * normal.cholesky
    standard = np.random.default_rng(0).normal(size=(10_000, 2))
    means = density.constrain(case.model, normal.location + standard @ factor.T)
    timing = Timing(0.9, 0.02, 3.2, None, None, 0.1, 4.5, 5.5, 2**29)
    return judge(_run(exact, case, timing, Fit(None, normal.location, factor, means)), exact)


def make_whole(exact: Exact, *, draws: int = 1000, shift: float = 0.0) -> list[Judged]:
    """The twelve cases of `gmixbench run`, the first with its draws shifted."""
    results = []
    for model in ("unordered", "ordered"):
        for backend, crossings in (("pymc", 0.0), ("numpyro", 0.1)):
            moved = shift if (model, backend) == ("unordered", "pymc") else 0.0
            results.append(
                make_nuts(exact, model, backend, draws=draws, crossings=crossings, shift=moved)
            )
        for method in ("advi-matched", "advi-library"):
            results += [make_advi(exact, model, backend, method) for backend in ("pymc", "numpyro")]
    return results


@pytest.fixture(scope="session")
def exact() -> Exact:
    """Exact posterior of a data set whose modes stand close."""
    return make_exact()


@pytest.fixture(scope="session")
def results(exact: Exact) -> Sequence[Judged]:
    """The twelve cases of `gmixbench run`: the first is invalid and stuck, all else is well."""
    return make_whole(exact, shift=0.4)


@pytest.fixture(scope="session")
def nuts(exact: Exact) -> Callable[..., Judged]:
    """Maker of judged NUTS runs on the data of `exact`."""
    return lambda *args, **settings: make_nuts(exact, *args, **settings)


@pytest.fixture(scope="session")
def advi(exact: Exact) -> Callable[..., Judged]:
    """Maker of judged ADVI runs on the data of `exact`."""
    return lambda *args, **settings: make_advi(exact, *args, **settings)


@pytest.fixture(scope="session")
def normal(exact: Exact) -> Callable[..., Judged]:
    """Maker of judged Pathfinder and Laplace runs on the data of `exact`."""
    return lambda *args: make_normal(exact, *args)


def without_validity(judged: Judged) -> Judged:
    """The same run, judged invalid but with its speeds left in: the report must hide them."""
    verdict = replace(judged.verdict, valid=False, reasons=("said so",))
    return replace(judged, verdict=verdict)


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


@pytest.fixture(scope="session")
def read_page() -> Callable[[Path], Page]:
    """Read a page that was written."""
    return lambda path: Page(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Browser:
    """Chromium, with a folder of its own."""

    profile: Path

    def complaints(self, path):
        """What the page made the browser write to its console."""
        done = self._dump(path, "--enable-logging=stderr", "--v=0")
        return [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def look(self, path, width=700):
        """Widths of all images once loaded, and how far the page is wider than a window."""
        policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
        probe = (
            "<script>addEventListener('load', () => { const seen = document.createElement('pre');"
            "seen.id = 'seen'; seen.textContent = "
            "[...document.images].map(i => i.naturalWidth).join()"
            "+ ';' + (document.documentElement.scrollWidth - innerWidth);"
            "document.body.append(seen); });</script></body>"
        )
        copy = self.profile / "probed.html"
        text = policy.sub("", path.read_text(encoding="utf-8"))
        copy.write_text(text.replace("</body>", probe), encoding="utf-8")
        done = self._dump(copy, f"--window-size={width},900")
        widths, over = re.search(r'<pre id="seen">(.*);(.*)</pre>', done.stdout).groups()
        return [int(width) for width in widths.split(",")], int(over)

    def _dump(self, path, *options):
        browser = shutil.which("chromium")
        assert browser, "this test opens the page in Chromium, which is not on PATH"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += ["--disable-background-networking", f"--user-data-dir={self.profile}", *options]
        return subprocess.run(
            [*command, path.as_uri()], capture_output=True, text=True, timeout=60, check=True
        )


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Chromium; a test that asks for it is marked `browser`."""
    return Browser(tmp_path)

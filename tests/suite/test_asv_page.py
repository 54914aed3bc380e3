"""asv's page in a browser: the versions are drawn on its axis.

The page loads its libraries from elsewhere on the net. Here npm brings them, as asv_page's lock has
them, into a copy of what `asv publish` wrote.
"""

import json
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from gmixbench.suite import asv_plan

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).parents[2]

LIBRARIES = {
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
"""Last part of each address in the page, and npm's file: the browser holds it to asv's own hash."""

OF_OTHER_BYTES = {
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",  # npm has 1.1.3 alone
    **{  # npm has them as they were written, and not made small
        f"jquery.flot{part}.min.js": f"jquery.flot/jquery.flot{part}.js"
        for part in ("", ".time", ".selection", ".categories")
    },
}
"""The same for files whose hash in the page must go."""

ELSEWHERE = re.compile(r'(src|href)="https://[^"]*/([^"/]+\.(?:js|css))"([^>]*)>')

PROBE = """
<script>setTimeout(() => {
  const plot = $("#main-graph").data("plot"), canvas = plot.getCanvas();
  const places = plot.getAxes().xaxis.categories || {};  // of names
  const {width, height} = canvas, scale = width / canvas.clientWidth;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const inked = (left, top) => {
    for (let x = Math.round((left - 4) * scale); x < (left + 4) * scale; x++)
      for (let y = Math.round((top - 4) * scale); y < (top + 4) * scale; y++) {
        const at = 4 * (y * width + x), colour = [...pixels.slice(at, at + 3)];
        if (pixels[at + 3] && Math.max(...colour) - Math.min(...colour) > 40) return true;
      }
    return false;
  };
  const left = $("#main-graph").offset().left;
  const middle = (box) => (box.left + box.right) / 2 - left;
  const edge = (box) => box.left - left;
  const words = (selector, where) => $("#main-graph " + selector).get().map(
    (each) => [each.textContent, where(each.getBoundingClientRect())]);
  const seen = document.createElement("pre");
  seen.id = "seen";
  seen.textContent = JSON.stringify({
    tags: words("> div[style*='-2ex']", edge),
    names: words(".flot-x-axis .flot-tick-label", middle),
    lines: plot.getData().map((line) => line.data.map(([x, y]) => {
      const at = plot.pointOffset({x: x in places ? places[x] : x, y});
      return [at.left, y, inked(at.left, at.top)];
    })),
  });
  document.body.append(seen);
}, 5000);</script>
"""
"""Tells what is written over and under the graph and where, and of each point where it is, its
value, and whether there is colour at that place: grid and frame are grey."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """Folder of npm's packages."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on PATH")  # .ci/run installs it
    folder = tmp_path_factory.mktemp("npm")
    for path in (ROOT / "tests" / "suite" / "asv_page").glob("package*.json"):
        shutil.copy(path, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return folder / "node_modules"


@pytest.fixture
def look(libraries, tmp_path):
    """Open a view of what `asv publish` wrote; gives what `PROBE` saw."""

    def copied(page):
        shutil.copytree(page, tmp_path / "copy", dirs_exist_ok=True)
        for name, file in (LIBRARIES | OF_OTHER_BYTES).items():
            shutil.copy(libraries / file, tmp_path / "copy" / name)
        index = tmp_path / "copy" / "index.html"
        text, found = index.read_text(encoding="utf-8"), []

        def here(match):
            kind, name, rest = match.groups()
            found.append(name)
            if name in OF_OTHER_BYTES:
                rest = re.sub(r' integrity="[^"]*"', "", rest)
            return f'{kind}="{name}"{rest}>'

        index.write_text(ELSEWHERE.sub(here, text).replace("</body>", f"{PROBE}</body>"))
        assert sorted(found) == sorted(LIBRARIES | OF_OTHER_BYTES)
        return tmp_path / "copy"

    def open_view(page, view):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(copied(page))))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            said = chromium(f"http://127.0.0.1:{server.server_port}/index.html#{view}")
        finally:
            server.shutdown()
            server.server_close()
        (seen,) = re.findall(r'<pre id="seen">(.*?)</pre>', said)
        return SimpleNamespace(**json.loads(seen))

    def chromium(address):
        command = [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"]
        command += ["--enable-logging=stderr", "--v=0", "--window-size=1200,800"]
        command += ["--virtual-time-budget=10000", "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
        return done.stdout

    return open_view


def test_releases_stand_on_the_axis_of_a_history(look, suite, call):
    """The project's own history of NumPyro: each release's version over its point."""
    kept, locks = ROOT / "benchmarks" / "history", ROOT / "benchmarks" / "stacks"
    told = ("--out", kept, "--locks", locks, "--library", "numpyro", "--asv", "releases")
    said = call("history", *told)
    assert said.code == 0, said.err
    folder = Path("releases/numpyro").resolve()
    suite.command("--config", str(folder / "asv.conf.json"), "publish")
    index = json.loads((folder / "html" / "index.json").read_text())
    seen = look(folder / "html", "nuts.seconds_per_gradient")
    assert [tag for tag, _ in seen.tags] == sorted(index["tags"], key=index["tags"].get)
    assert {"0.15.3", "0.22.0"} <= {tag for tag, _ in seen.tags}
    places = [place for _, place in seen.tags]
    assert len(seen.lines) == 2  # both models
    for line in seen.lines:
        assert [place for place, _, _ in line] == pytest.approx(places, abs=1.0)
        assert all(inked for _, _, inked in line)


def test_stacks_stand_on_the_axis_of_the_suite(look, suite, made, monkeypatch):
    """The view that benchmarks/asv/README.md names: a bar over each stack's name."""
    stacks = ["here-exact", "pymc-v6.4.0", "numpyro-v0.22.0"]
    monkeypatch.setenv(asv_plan.STACKS_VARIABLE, ",".join(stacks))
    made(1.0)
    suite.command("publish")
    guide = (ROOT / "benchmarks" / "asv" / "README.md").read_text(encoding="utf-8")
    (view,) = re.findall(r"`index\.html#(\S+)`", guide)
    seen = look(suite.folder / "html", f"mixtures.{view}")
    assert [name for name, _ in seen.names] == stacks
    (bars,) = seen.lines
    assert [value for _, value, _ in bars] == [2.0, 4.0, 6.0]
    assert all(inked for _, _, inked in bars)
    assert [place for _, place in seen.names] == pytest.approx([at for at, *_ in bars], abs=2.0)
    both, _, _ = view.partition("&")  # as the guide says, of two models asv draws none
    lines = look(suite.folder / "html", f"mixtures.{both}").lines
    assert len(lines) == 2
    assert not any(inked for line in lines for _, _, inked in line)

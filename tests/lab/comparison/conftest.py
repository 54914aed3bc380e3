"""What takes the place of a package index, and of stacks."""

import json
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from gmixbench.lab import datasets, interpreters
from gmixbench.lab.stacks import PPLS, Stack
from gmixbench.ruler.comparison.nouns import Comparison, Task, Variant
from gmixbench.spec import COMPARE, MODELS
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve


@pytest.fixture(scope="session")
def exact() -> Exact:
    return solve(datasets.load("close").x, MODELS["ordered"])


@pytest.fixture
def question() -> Callable[..., Comparison]:
    """Comparison of backends by name, before anything is measured."""

    def make(*names: str, **rest: Any) -> Comparison:
        variants = tuple(Variant(name, "here", name, {"python": "3.13"}, name) for name in names)
        given = {"band": 0.02, "alpha": 0.01, "seed": 1, "machine": {"cpu": "one"}} | rest
        return Comparison(
            variants, (Task(MODELS["ordered"], "nuts", COMPARE.nuts),), "close", **given
        )

    return make


HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Index:
    """Index that uv asks: wheels of one module each, and the day on which each came out."""

    def __init__(self, folder, address, make):
        self.folder, self.address, self.make, self.files = folder, address, make, {}
        self.asked = []

    def add(self, name, version, day="2026-01-01", needs=(), body="one = 1\n"):
        """Put a release there."""
        lines = "".join(f"Requires-Dist: {each}\n" for each in needs)
        wheel = self.make(name, version, body=body, needs=lines)
        content = wheel.read_bytes()
        (self.folder / wheel.name).write_bytes(content)
        wheel.unlink()
        told = {
            "filename": wheel.name,
            "url": f"{self.address}/{wheel.name}",
            "hashes": {"sha256": sha256(content).hexdigest()},
            "upload-time": f"{day}T12:00:00Z",
        }
        page = {"meta": {"api-version": "1.1"}, "name": name}
        page["files"] = [*self.files.get(name, ()), told]
        self.files[name] = page["files"]
        (self.folder / f"{name}.json").write_text(json.dumps(page))


class Handler(SimpleHTTPRequestHandler):
    """Serves `NAME/` from `NAME.json`, and wheels."""

    extensions_map = {".json": "application/vnd.pypi.simple.v1+json", ".whl": "application/zip"}  # noqa: RUF012  # as its base has it

    def translate_path(self, path):
        return super().translate_path(f"{path.rstrip('/')}.json" if path.endswith("/") else path)

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")  # a test may add a release
        super().end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def index(own_caches, tiny_wheel, tmp_path, monkeypatch):  # noqa: ARG001 - no test may touch the real ones
    """Such an index, the only one there is."""
    folder = tmp_path / "index"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield Index(folder, address, tiny_wheel)
        server.shutdown()
        thread.join()


@pytest.fixture
def locks(tmp_path):
    """Empty folder of lock files."""
    folder = tmp_path / "locks"
    folder.mkdir()
    return folder


@pytest.fixture
def lock_file(locks):
    """Maker of stacks that are only read, with their lock file."""

    def make(package, version, day="2026-01-01", name=None, **changes):
        others = changes.pop("others", {})
        packages = {package: version, **others}
        stack = Stack(
            **{
                "name": name or f"{package}-v{version}",
                "ppl": PPLS[package],
                "package": package,
                "version": version,
                "released": day,
                "python": HERE,
                "platform": interpreters.platform_name(),
                "cutoff": day,
                "later": {},
                "made": f"gmixbench stacks lock it {package}=={version}",
                "by": "hand",
                "sources": (),
                "packages": packages,
                "hashes": {each: (sha256(each.encode()).hexdigest(),) for each in packages},
                **changes,
            }
        )
        (locks / f"{stack.name}.txt").write_text(stack.text())
        return stack

    return make

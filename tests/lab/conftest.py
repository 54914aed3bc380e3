"""What the tests of the lab share."""

import sys
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from gmixbench.lab import datasets, locking
from gmixbench.spec import MODELS, AdviSettings, Case, NutsSettings
from gmixbench.truth.solve import solve


@pytest.fixture(scope="session")
def exact():
    """Exact posterior of a data set of the package."""
    return solve(datasets.load("overlapping").x, MODELS["ordered"])


@pytest.fixture(scope="session")
def make_case():
    """Maker of small cases."""

    def make(backend="exact", model="ordered", method="nuts", seed=0, **changes):
        small = {"chains": 2, "warmup": 10, "draws": 50} if method == "nuts" else {"steps": 600}
        kind = NutsSettings if method == "nuts" else AdviSettings
        case = Case("overlapping", MODELS[model], backend, method, kind(**small), seed=seed)
        return Case(**{**vars(case), **changes})

    return make


def _alive(pid):
    # A zombie that no one has waited for is dead all the same.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="session")
def gone():
    """Whether all of some processes end within seconds."""

    def wait(*pids, within=10.0):
        until = time.monotonic() + within
        while any(map(_alive, pids)) and time.monotonic() < until:
            time.sleep(0.02)
        return not any(map(_alive, pids))

    return wait


@pytest.fixture
def own_caches(tmp_path, monkeypatch):
    """Caches of this test alone, and no network."""
    monkeypatch.setenv("GMIXBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


@pytest.fixture
def tiny_wheel(tmp_path):
    """Maker of wheels of one module, under a name that is measured: stacks without a network."""

    def make(name="numpyro", version="0.0.1", body="one = 1\n", needs=""):
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}/__init__.py": body,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        sums = {path: sha256(text.encode()).digest() for path, text in files.items()}
        lines = [
            f"{path},sha256={urlsafe_b64encode(sums[path]).rstrip(b'=').decode()},{len(text)}\n"
            for path, text in files.items()
        ]
        files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"])
        path = tmp_path / f"{name}-{version}-py3-none-any.whl"
        with ZipFile(path, "w") as archive:
            for inside, text in files.items():
                archive.writestr(ZipInfo(inside), text)
        return path

    return make


@pytest.fixture
def tiny_stack(own_caches, tiny_wheel):  # noqa: ARG001 - no test may touch the real ones
    """Maker of stacks of such a wheel."""

    def make(name="tiny", **changes):
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return locking.lock(name, [str(tiny_wheel(**changes))], python=python)

    return make

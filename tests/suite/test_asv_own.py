"""Our own asv.conf.json: asv makes an environment of each commit, and measures it."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import gmixbench
from gmixbench.lab import building

pytestmark = pytest.mark.slow

ROOT = Path(gmixbench.__file__).parents[1]

FASTER, SLOWER = "time.sleep(0.2)", "time.sleep(0.4)"

CLOCK = "start = time.perf_counter()"
"""Where the oracle's clock of sampling begins."""

BUILT, UNBUILT = "numpyro-v0.22.0", "numpyro-v0.22.0-again"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """This checkout as it stands, in a repository of its own; gives what its user can do there."""
    folder = tmp_path_factory.mktemp("asv")
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if files.returncode:
        pytest.skip("not a git checkout: asv measures commits")  # an unpacked sdist has none
    for name in filter(None, files.stdout.split("\0")):
        if (ROOT / name).is_file():  # not one that is about to be removed
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "clone" / name).write_bytes((ROOT / name).read_bytes())
    uv_cache = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=True
    )
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),  # asv keeps there what it knows of the machine
        "UV_CACHE_DIR": uv_cache.stdout.strip(),
        "GMIXBENCH_ASV_STACKS": "here-exact",
    }

    def call(*command: str, code: int | None = 0) -> str:
        done = subprocess.run(
            command,
            cwd=folder / "clone",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert code is None or done.returncode == code, said
        return said

    def git(*arguments: str) -> str:
        name = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return call("git", *name, *arguments).strip()

    def commit(clock: str, *, bias: float = 0.0) -> str:
        """Commit the oracle with more on its clock, and a bias, and give the commit's hash."""
        path = Path("gmixbench") / "truth" / "oracle.py"
        source = (ROOT / path).read_text()
        biased = source.replace("Draws(means.reshape(", f"Draws({bias} + means.reshape(")
        assert source.count(CLOCK) == 1
        assert biased != source
        changed = biased.replace(CLOCK, f"{CLOCK}; {clock}")
        (folder / "clone" / path).write_text(changed)
        git("add", "-A")
        git("commit", "--quiet", "--allow-empty", "-m", clock)
        return git("rev-parse", "HEAD")

    def asv(*arguments: str, code: int | None = 0) -> str:
        return call(sys.executable, "-m", "asv", *arguments, code=code)

    call("git", "init", "--quiet", "--initial-branch=main")
    asv("machine", "--yes")
    return SimpleNamespace(folder=folder / "clone", asv=asv, commit=commit, environment=environment)


@pytest.fixture
def with_a_stack(clone, stack_python, monkeypatch, tmp_path):
    """The clone with a stack that is built, its twin that is not, and another NumPyro in the way.

    That one is broken, and seen by all that is measured in asv's own environment.
    """
    stack_python(BUILT)
    lock = clone.folder / "benchmarks" / "stacks" / f"{BUILT}.txt"
    lock.with_stem(UNBUILT).write_text(
        lock.read_text().replace(f"stack: {BUILT}", f"stack: {UNBUILT}")
    )
    (tmp_path / "numpyro.py").write_text("raise ImportError('not that of a stack')")
    for name, value in {
        "GMIXBENCH_ASV_STACKS": f"here-exact,here-numpyro,{BUILT},{UNBUILT}",
        "GMIXBENCH_CACHE": str(building.cache()),
        "ASV_PYTHONPATH": str(tmp_path),
    }.items():
        monkeypatch.setitem(clone.environment, name, value)
    return clone


def test_run_measures_this_commit_and_a_stack_that_is_built(with_a_stack):
    clone, commit = with_a_stack, with_a_stack.commit(FASTER)
    clone.asv("check")
    said = clone.asv("run", "--show-stderr", code=2)
    assert "ImportError: not that of a stack" in said  # of here-numpyro, and of nothing else
    (path,) = (clone.folder / ".asv" / "results").glob(f"*/{commit[:8]}-*.json")
    results = json.loads(path.read_text())["results"]
    for name in ("Nuts.track_seconds_per_draw", "Nuts.track_peak_memory", "Advi.track_kl"):
        told = results[name][0]
        exact, here, built, unbuilt = (told[k : k + 2] for k in range(0, 8, 2))
        assert min(*exact, *built) > 0, name
        assert here == [None, None], name
        assert all(map(math.isnan, unbuilt)), name
    assert "Nuts.track_seconds_per_draw" in clone.asv("show", commit)
    clone.asv("publish")
    assert (clone.folder / ".asv" / "html" / "index.html").is_file()


def test_both_libraries_are_in_asv_s_environment(clone, monkeypatch):
    monkeypatch.setitem(clone.environment, "GMIXBENCH_ASV_STACKS", "here")
    clone.commit(FASTER)
    clone.asv("run", "--bench", "just-discover")
    told = json.loads((clone.folder / ".asv" / "results" / "benchmarks.json").read_text())
    stacks, _ = told["Nuts.track_rhat"]["params"]
    assert stacks == ["'here-pymc'", "'here-numpyro'"]


def test_continuous_tells_a_slower_and_a_biased_commit_from_one_that_is_neither(clone):
    speed = ["-b", "seconds_per_draw", "--factor", "1.5", "--show-stderr"]
    before, slower, same = clone.commit(FASTER), clone.commit(SLOWER), clone.commit(FASTER)
    biased = clone.commit(FASTER, bias=0.1)
    assert "PERFORMANCE DECREASED" in clone.asv("continuous", before, slower, *speed, code=1)
    assert "NOT SIGNIFICANTLY CHANGED" in clone.asv("continuous", before, same, *speed)
    said = clone.asv("continuous", before, biased, *speed, code=2)  # it has nothing to compare
    assert "invalid: bias: mean of the " in said

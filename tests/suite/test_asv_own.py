"""Our own asv.conf.json: asv makes an environment of each commit, and measures it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import gmixbench

pytestmark = pytest.mark.slow

ROOT = Path(gmixbench.__file__).parents[1]

FASTER, SLOWER = "time.sleep(0.2)", "time.sleep(0.4)"

CLOCK = "start = time.perf_counter()"
"""Where the oracle's clock of sampling begins."""


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


def test_run_leaves_a_result_of_the_commit(clone, monkeypatch):
    monkeypatch.setitem(clone.environment, "GMIXBENCH_ASV_STACKS", "here-exact,here-numpyro")
    commit = clone.commit(FASTER)
    clone.asv("check")
    clone.asv("run")
    (path,) = (clone.folder / ".asv" / "results").glob(f"*/{commit[:8]}-*.json")
    results = json.loads(path.read_text())["results"]
    assert None not in results["Nuts.track_seconds_per_draw"][0]
    assert "Nuts.track_seconds_per_draw" in clone.asv("show", commit)
    clone.asv("publish")
    assert (clone.folder / ".asv" / "html" / "index.html").is_file()


def test_continuous_tells_a_slower_commit_from_one_that_is_not(clone):
    speed = ["-b", "seconds_per_draw", "--factor", "1.5"]
    before, slower, same = clone.commit(FASTER), clone.commit(SLOWER), clone.commit(FASTER)
    assert "PERFORMANCE DECREASED" in clone.asv("continuous", before, slower, *speed, code=1)
    assert "PERFORMANCE INCREASED" in clone.asv("continuous", slower, same, *speed)
    assert "NOT SIGNIFICANTLY CHANGED" in clone.asv("continuous", before, same, *speed)


def test_a_biased_commit_fails(clone):
    clone.commit(FASTER, bias=0.1)
    said = clone.asv("run", "--show-stderr", "-b", "seconds_per_draw", code=2)
    assert "invalid: bias: mean of the " in said

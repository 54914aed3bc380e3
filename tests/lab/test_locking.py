import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gmixbench.lab import building, interpreters, locking, stacks, uv
from gmixbench.lab.stacks import StackError

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

BACKEND = """
import zipfile

INFO = "numpyro-0.0.2.dist-info"

def build_wheel(folder, settings=None, metadata=None):
    files = {
        "numpyro/__init__.py": open("numpyro.py").read(),
        INFO + "/METADATA": "Metadata-Version: 2.1\\nName: numpyro\\nVersion: 0.0.2\\n",
        INFO + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        INFO + "/RECORD": "",
    }
    name = "numpyro-0.0.2-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(zipfile.ZipInfo(path), text)
    return name
"""


PYLOCK = """
[[packages]]
name = "NumPyro"
version = "0.15.0"
sdist = { upload-time = 2024-05-14T00:00:00Z }
wheels = [{ upload-time = 2024-05-12T23:30:00-01:00 }]
"""
"""As uv tells of a release that came out on 2024-05-13 (UTC)."""


class Index:
    """In uv's place: an index that has NumPyro 0.15.0; `asked` has the words of each call."""

    def __init__(self):
        self.pylock, self.refused, self.asked = PYLOCK, {}, []

    def run(self, arguments, **_):
        if arguments[0] == "--version":
            return "uv 0.1.2"
        if "pylock.toml" in arguments:
            return self.pylock
        self.asked.append(arguments)
        for python, error in self.refused.items():
            if f"/python{python}" in arguments:
                raise error
        locked = Path(arguments[arguments.index("--output-file") + 1])
        locked.write_text(f"numpyro==0.15.0 \\\n    --hash=sha256:{'a' * 64}\n")
        return ""


@pytest.fixture
def index(monkeypatch):
    """Such an index, on a machine with Python 3.6 to 3.13."""
    made = Index()
    monkeypatch.setattr(uv, "run", made.run)

    def find(version):
        here = interpreters.Interpreter(version, Path(f"/python{version}"), headers=True)
        return None if version == "3.14" else here

    monkeypatch.setattr(interpreters, "find", find)
    return made


def test_a_release_is_locked_as_of_21_days_after_it_on_the_newest_python_of_then(index):
    stack = locking.lock("v", ["numpyro==0.15.0"], later={"jax": "2024-07-01"})
    assert (stack.released, stack.cutoff, stack.python) == ("2024-05-13", "2024-06-03", "3.12")
    told = [*index.asked[-1]]
    assert told[told.index("--exclude-newer") + 1] == "2024-06-04T00:00:00Z"
    assert told[told.index("--exclude-newer-package") + 1] == "jax=2024-07-02T00:00:00Z"
    assert stack.made == (
        "gmixbench stacks lock v numpyro==0.15.0 --cutoff 2024-06-03 --python 3.12 "
        "--exclude-newer-package jax=2024-07-01"
    )


def test_a_release_of_today_is_locked_as_of_today(index):
    today = datetime.now(UTC).date().isoformat()
    index.pylock = PYLOCK.replace("2024-05-14", today).replace("2024-05-12", "2999-01-01")
    assert locking.lock("v", ["numpyro==0.15.0"]).cutoff == today


@pytest.mark.usefixtures("index")
def test_what_is_given_is_taken():
    stack = locking.lock("v", ["numpyro==0.15.0"], cutoff="2024-05-20", python="3.13")
    assert (stack.cutoff, stack.python) == ("2024-05-20", "3.13")


def test_an_older_python_serves_where_the_newer_ones_do_not_resolve(index):
    differ = uv.UvError("v: not for this Python", may_differ=True)
    index.refused = {"3.12": differ}
    assert locking.lock("v", ["numpyro==0.15.0"]).python == "3.11"
    with pytest.raises(StackError, match="not for this Python"):
        locking.lock("v", ["numpyro==0.15.0"], python="3.12")
    index.refused = dict.fromkeys(interpreters.RELEASED, differ)
    with pytest.raises(StackError, match="not for this Python"):
        locking.lock("v", ["numpyro==0.15.0"])


def test_what_no_python_mends_is_not_tried_on_each(index):
    index.refused = {"3.13": uv.UvError("v: the disk is full")}
    with pytest.raises(StackError, match="the disk is full"):
        locking.lock("v", ["numpyro==0.15.0"])
    assert len(index.asked) == 1


PYLOCK_JAX = PYLOCK.replace("NumPyro", "jax").replace("2024-05-1", "2024-06-1")


def test_a_younger_release_that_is_asked_for_beside_it_comes_out_before_the_cut_off(index):
    index.pylock = PYLOCK + PYLOCK_JAX
    asked = ["numpyro==0.15.0", "jax==0.4.30"]
    stack = locking.lock("v", asked)
    assert (stack.released, stack.cutoff) == ("2024-05-13", "2024-07-04")
    assert locking.lock("v", asked, later={"jax": "2024-07-01"}).cutoff == "2024-06-03"
    assert locking.lock("v", [asked[0], "jax<=0.4.30"]).cutoff == "2024-06-03"


def test_what_is_wanted_of_other_packages_is_told_and_named_in_the_command(index, monkeypatch):
    locked, answer = [], index.run

    def run(arguments, **options):
        if "--output-file" in arguments:
            locked.append(Path(arguments[arguments.index("--output-file") + 1]).read_text())
            locked.append(Path(arguments[arguments.index("--constraint") + 1]).read_text())
        return answer(arguments, **options)

    monkeypatch.setattr(uv, "run", run)
    beside = locking.Beside({"jax": "2"}, {"numpy": "1", "jax": "1"}, frozenset({"scipy"}))
    stack = locking.lock(
        "v", ["numpyro==0.15.0", "jax"], cutoff="2024-06-03", python="3.12", beside=beside
    )
    assert locked == ["jax==1\nnumpy==1\n", "jax==2\n"]
    assert index.asked[-1][-2:] == ["--only-binary", "scipy"]
    assert stack.made.split()[3:6] == ["v", "numpyro==0.15.0", "--cutoff"]


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("v pymc==6 --cutoff 2024-01-01 --python 3.13", ("pymc",)),
        ("jax 'PyMC<7' 'num_py >= 2' gone==1 --python 3.13", ("pymc", "num-py")),
        ("v ./project git+https://x.org/a jax==1", ("numpyro", "jax")),
        ("by hand", ("numpyro",)),
    ],
)
def test_what_a_stack_was_locked_for(tiny_stack, made, found):
    packages = dict.fromkeys(("pymc", "jax", "num-py", "numpyro", "six"), "1")
    stack = replace(tiny_stack(), made=f"gmixbench stacks lock {made}", packages=packages)
    if "numpyro" not in found:
        stack = replace(stack, sources=())
    assert locking.asked(stack) == found


def test_another_name_is_that_of_its_command_too(tiny_stack):
    stack = locking.renamed(tiny_stack(), "other")
    assert stack.name == "other"
    assert stack.made.startswith("gmixbench stacks lock other ./numpyro")


def test_an_index_that_does_not_tell_when(index):
    index.pylock = PYLOCK.replace("upload-time", "size")
    with pytest.raises(StackError, match=r"does not tell when numpyro==0\.15\.0 came out"):
        locking.lock("v", ["numpyro==0.15.0"])


@pytest.fixture
def checkout(tmp_path):
    """A project that builds without a network: it is its own build backend."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "numpyro.py").write_text("two = 2\n")
    (path / "backend.py").write_text(BACKEND)
    (path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "numpyro"\nversion = "0.0.2"\n'
    )
    return path


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_wheel(tiny_stack, tmp_path):
    stack = tiny_stack(version="0.0.7")
    assert (stack.package, stack.version, stack.ppl) == ("numpyro", "0.0.7", "numpyro")
    assert stack.packages == {"numpyro": "0.0.7"}
    (source,) = stack.sources
    assert stack.hashes == {"numpyro": (source.sha256,)}
    assert building.wheel_path(source.sha256, source.wheel).is_file()
    path = locking.write(stack, tmp_path / "locks")
    assert stacks.read(path) == stack
    assert str(tmp_path) not in path.read_text()


@pytest.mark.usefixtures("own_caches")
def test_a_checkout(checkout, tmp_path):
    stack = locking.lock("dev", [str(checkout)], python=HERE)
    assert stack.sources[0].origin == "checkout project"
    assert str(tmp_path) not in stack.text()
    assert stack == locking.lock("dev", [str(checkout)], python=HERE)
    (checkout / "numpyro.py").write_text("two = 3\n")
    assert stack.digest != locking.lock("dev", [str(checkout)], python=HERE).digest


@pytest.mark.usefixtures("own_caches")
def test_a_vcs_address(checkout, tmp_path):
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "first")
    git(checkout, "tag", "v1")
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "numpyro.py").write_text("two = 3\n")
    git(checkout, "commit", "--quiet", "-am", "second")
    stack = locking.lock("dev", [f"git+file://{checkout}@v1"], python=HERE)
    assert stack.sources[0].origin == f"git+file://project@v1 (commit {commit})"
    assert str(tmp_path) not in stack.text()
    python = building.build(stack)
    line = "import numpyro; print(numpyro.two)"
    assert subprocess.run([python, "-c", line], capture_output=True, check=True).stdout == b"2\n"
    with pytest.raises(StackError, match=r"git .*failed"):
        locking.lock("dev", [f"git+file://{checkout}@v9"], python=HERE)


@pytest.mark.parametrize(
    ("requirement", "address", "revision"),
    [
        ("git+https://example.org/a/b", "https://example.org/a/b", None),
        ("git+https://example.org/a/b@v1", "https://example.org/a/b", "v1"),
        ("git+ssh://git@example.org/a/b", "ssh://git@example.org/a/b", None),
        ("git+ssh://git@example.org/a/b@v1#egg=b", "ssh://git@example.org/a/b", "v1"),
    ],
)
def test_vcs_addresses(requirement, address, revision):
    assert locking._address(requirement) == (address, revision)


@pytest.mark.parametrize(
    ("requirements", "options", "said"),
    [
        ([], {}, "say what it holds"),
        (["six==1.16.0"], {}, "none of pymc3, pymc, numpyro"),
        (["gone-1.0-py3-none-any.whl"], {}, "there is no wheel"),
        (["./gone"], {}, "there is no ./gone"),
        (["src/gone"], {}, "there is no src/gone"),
        (["https://example.org/pymc.zip"], {}, "neither a version"),
        (["pymc==5.16.2"], {"cutoff": "soon"}, "'soon' is no date"),
        (["pymc==5.16.2"], {"cutoff": "20240805"}, "'20240805' is no date"),
        (["pymc==5.16.2"], {"cutoff": "2024-W31-5"}, "'2024-W31-5' is no date"),
        (["pymc==5.16.2"], {"cutoff": "2024-08-05T10:00:00"}, "is no date"),
        (["pymc==5.16.2"], {"later": {"jax": "2024-13-01"}}, "'2024-13-01' is no date"),
        (["pymc==5.16.2"], {"python": "2.5"}, "no Python 2.5 runs on this machine"),
        (["pymc==5.16.2"], {}, "could not be fetched: check the network"),
    ],
)
@pytest.mark.usefixtures("own_caches")
def test_what_can_not_be_locked_is_told_in_one_line(requirements, options, said):
    with pytest.raises(StackError, match=said) as caught:
        locking.lock("new", requirements, **options)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("new: ")


@pytest.mark.usefixtures("own_caches")
def test_a_name_that_is_no_file_name():
    with pytest.raises(StackError, match="can't be a stack's name"):
        locking.lock("a/b", ["pymc==5.16.2"])


def test_a_wheel_that_needs_what_no_index_has_is_told(tiny_stack, tiny_wheel):
    address = tiny_wheel("other").as_uri()
    with pytest.raises(StackError, match=r"tiny: it needs other from file:.*a lock can't keep"):
        tiny_stack(needs=f"Requires-Dist: other @ {address}\n")


@pytest.mark.slow
def test_a_version_is_locked_as_of_21_days_after_it():
    stack = locking.lock("numpyro-v0.15.0", ["numpyro==0.15.0"], python="3.12")
    assert (stack.released, stack.cutoff) == ("2024-05-13", "2024-06-03")
    assert stack.packages["jax"] == "0.4.28"
    assert stack.made.endswith("--cutoff 2024-06-03 --python 3.12")


@pytest.mark.slow
def test_a_missing_release_is_told_in_one_line():
    with pytest.raises(StackError, match=r"no index has numpyro==0\.9999\.0") as caught:
        locking.lock("new", ["numpyro==0.9999.0"], python=HERE)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("own_caches")
def test_a_folder_that_is_no_checkout(tmp_path):
    (tmp_path / "numpyro").mkdir()
    with pytest.raises(StackError, match=r"is no checkout: no pyproject\.toml, no setup\.py"):
        locking.lock("mine", [str(tmp_path / "numpyro")], cutoff="2026-01-01")

import json
import platform
from importlib import metadata

import pytest

from gmixbench.lab.comparison import here
from gmixbench.lab.stacks import StackError


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Package of a backend of one's own, found from the folder that we are in."""
    package = tmp_path / "metropolis"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('it was imported')\n")
    (package / "sampler.py").write_text("one = 1\n")
    monkeypatch.chdir(tmp_path)
    return package


def test_all_that_is_installed():
    found = here.packages()
    assert found["numpy"] == metadata.version("numpy")
    assert found["pyyaml"] == metadata.version("PyYAML")  # as a lock file has it
    assert platform.python_version().startswith(f"{found['python']}.")


def test_the_same_has_one_digest_and_another_version_another(monkeypatch):
    first = here.digest("exact")
    assert here.digest("exact") == first
    found = here.packages()
    monkeypatch.setattr(here, "packages", lambda: {**found, "numpy": "0.1"})
    assert here.digest("exact") != first


def test_backends_differ():
    assert here.digest("exact") != here.digest("numpy.linalg")


def test_a_patch_of_python_is_another_python(monkeypatch):
    first = here.digest("exact")
    monkeypatch.setattr(platform, "python_version", lambda: "3.13.99")
    assert here.digest("exact") != first


@pytest.mark.parametrize("name", ["sampler.py", "helper.py", "__init__.py", "deep/own.py"])
def test_a_backend_of_ones_own_is_its_source_and_what_it_may_import(module, name):
    first = here.digest("metropolis.sampler")
    assert here.digest("metropolis.sampler") == first
    (module / name).parent.mkdir(exist_ok=True)
    (module / name).write_text("one = 2\n")
    assert here.digest("metropolis.sampler") != first


def test_it_may_be_a_package_and_stand_on_the_path(module, tmp_path, monkeypatch):
    (module / "inner").mkdir()
    (module / "inner" / "__init__.py").write_text("")
    first = here.digest("metropolis.inner")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.syspath_prepend(tmp_path)
    assert here.digest("metropolis.inner") == first


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize("name", ["metropolis.gone", "gone.sampler", "metropolis.sampler.more"])
def test_a_module_that_is_not_there(name):
    with pytest.raises(StackError, match=f"here:{name}: there is no source file.*PYTHONPATH"):
        here.digest(name)


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(here, "packages", lambda: {"python": "3.13"})
    with pytest.raises(StackError, match="here:pymc: pymc is not installed here: pip install"):
        here.digest("pymc")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Checkout of a package, and a function that installs it from there, to be edited or not."""
    folder = tmp_path / "my checkout"
    (folder / "edited").mkdir(parents=True)
    (folder / "edited" / "__init__.py").write_text("one = 1\n")
    site = tmp_path / "site"

    def install(name="edited", told=None, *, editable=True):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        direct = {"url": folder.as_uri(), "dir_info": {"editable": editable}}
        (info / "direct_url.json").write_text(json.dumps(direct) if told is None else told)
        return folder

    monkeypatch.syspath_prepend(site)
    return install


@pytest.mark.parametrize("name", ["edited/__init__.py", "edited/new.py", "edited/fast.so"])
def test_a_checkout_that_is_edited_is_another(checkout, name):
    folder = checkout()
    first = here.digest("exact")
    assert here.digest("exact") == first
    (folder / name).write_text("one = 2\n")
    assert here.digest("exact") != first


@pytest.mark.parametrize("name", ["README.md", ".tox/it.py", "env/lib/it.py"])
def test_what_is_no_code_of_a_checkout_changes_nothing(checkout, name):
    folder = checkout()
    (folder / "env").mkdir()
    (folder / "env" / "pyvenv.cfg").write_text("")
    first = here.digest("exact")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("one = 2\n")
    assert here.digest("exact") == first


@pytest.mark.parametrize(
    "options", [{"editable": False}, {"told": "cut"}, {"told": "[]"}, {"name": "gmixbench"}]
)
def test_what_is_not_there_to_be_edited_is_its_version(checkout, options):
    folder = checkout(**options)
    first = here.digest("exact")
    (folder / "edited" / "__init__.py").write_text("one = 2\n")
    assert here.digest("exact") == first

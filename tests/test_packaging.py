"""What a user installs, and what a fresh clone needs."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest
import uv

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gmixbench"
OLD_SYNTAX = [
    PACKAGE / "__init__.py",
    PACKAGE / "spec.py",
    PACKAGE / "record.py",
    PACKAGE / "disk.py",
    *sorted((PACKAGE / "measured").rglob("*.py")),
]
TOP_LEVEL = {
    "action.yml",
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "asv.conf.json",
    "benchmarks",
    "gmixbench",
    "pyproject.toml",
    "tests",
    "uv.lock",
}


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_is_installed_once() -> None:
    """A lock with two versions of one package would name one and measure the other."""
    # There alone: setuptools brings packages of its own in a folder of its own.
    installed = distributions(path=[sysconfig.get_path("purelib")])
    names = Counter(item.name for item in installed)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / ".ci" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_python(bootstrap, tmp_path, monkeypatch) -> Path:
    """A machine without Python: its PATH is the folder returned, which is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(bootstrap, "PLACES", ())
    monkeypatch.setattr(bootstrap.sys, "executable", str(folder / "python3"))
    return folder


def test_top_level_holds_what_is_expected_only():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")  # an unpacked sdist: git knows nothing of it
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT
    ).split("\0")
    assert {name.split("/")[0] for name in listed if name} <= TOP_LEVEL


def test_lock_names_the_public_registry_only():
    urls = re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text())
    assert set(urls) == {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.parametrize("path", OLD_SYNTAX, ids=lambda path: str(path.relative_to(ROOT)))
def test_measured_side_keeps_to_old_syntax(path):
    ast.parse(path.read_text(), feature_version=(3, 7))


def test_bootstrap_keeps_to_old_syntax():
    ast.parse((ROOT / ".ci" / "bootstrap.py").read_text(), feature_version=(3, 6))


def test_command_line_imports_nothing_slow():
    code = "import json, sys, gmixbench.cli; print(json.dumps(sorted(sys.modules)))"
    roots = {name.split(".")[0] for name in json.loads(run(sys.executable, "-c", code))}
    slow = {"arviz", "arviz_base", "arviz_stats", "matplotlib", "pandas", "scipy", "xarray"}
    backends = {"jax", "jaxlib", "numba", "numpyro", "pymc", "pytensor"}
    assert not roots & (slow | backends)


def test_bootstrap_takes_the_newest_python(bootstrap, no_python, script):
    script(no_python / "python3.12", "echo 3.12; echo /real/3.12")
    script(no_python / "python3.11", "echo 3.11; echo /real/3.11")
    assert bootstrap.choose_python() == "/real/3.12"
    assert bootstrap.choose_python("3.11") == "/real/3.11"


def test_bootstrap_passes_over_a_shim_that_fails(bootstrap, no_python, tmp_path, script):
    script(no_python / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    script(no_python / "python3.12", "echo 3.11; echo /real/3.11")
    python = tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python"
    script(python, "echo 3.12; echo /pyenv/3.12")
    assert bootstrap.choose_python() == "/pyenv/3.12"


def test_bootstrap_leaves_a_missing_python_to_uv(bootstrap, no_python):
    assert list(no_python.iterdir()) == []
    assert bootstrap.choose_python() == bootstrap.SUPPORTED[0]
    assert bootstrap.choose_python("3.11") == "3.11"


def test_bootstrap_says_in_one_line_that_venv_is_missing(
    bootstrap, no_python, tmp_path, monkeypatch, script
):
    monkeypatch.setattr(bootstrap, "TOOLS", str(tmp_path / "tools"))
    python = script(no_python / "python3", '[ "$1" = -c ] && echo True')
    with pytest.raises(SystemExit, match=r"apt install python3-venv") as stopped:
        bootstrap.install_uv([str(python)])
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("version", ["/usr/bin/python3", "3.8", "three"])
def test_bootstrap_refuses_an_unsupported_version(bootstrap, version):
    with pytest.raises(SystemExit, match=rf"PYTHON={version}: choose one of 3\.13"):
        bootstrap.main([version])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv.find_uv_bin(), "build", "--wheel", "--out-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_wheel_carries_its_data(wheel):
    with ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    data = ["py.typed", "datasets/*", "references/*.json", "report/templates/*"]
    wanted = {str(path.relative_to(ROOT)) for pattern in data for path in PACKAGE.glob(pattern)} | {
        f"gmixbench/datasets/{name}.csv" for name in ("overlapping", "close", "separated")
    }
    assert wanted <= packed
    for folder in ("report/templates/", "references/ordered_full-"):
        assert any(name.startswith(f"gmixbench/{folder}") for name in packed)
    outside = {name.split("/")[0] for name in packed if ".dist-info/" not in name}
    assert outside == {"gmixbench"}


@pytest.mark.slow
def test_installed_wheel_runs_without_any_backend(wheel, tmp_path):
    environment = tmp_path / "environment"
    python = environment / "bin" / "python"
    run(uv.find_uv_bin(), "venv", "--python", sys.executable, environment)
    run(uv.find_uv_bin(), "pip", "install", "--python", python, wheel)
    program = environment / "bin" / "gmixbench"
    elsewhere = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": ""}}
    version = run(python, "-c", "import gmixbench; print(gmixbench.__version__)", **elsewhere)
    assert version.strip() in run(program, "--version", **elsewhere)
    run(program, "exact", "--json", "exact.json", **elsewhere)
    exact = json.loads((tmp_path / "exact.json").read_text())
    assert set(exact) == {"unordered", "ordered"}


def old_pythons() -> list[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = [Path(found) for found in [shutil.which("python3.7")] if found]
    return [*pyenv.glob("versions/3.7.*/bin/python"), *on_path][:1]


@pytest.mark.slow
@pytest.mark.skipif(not old_pythons(), reason="no Python 3.7 here")
def test_measured_side_imports_in_an_old_python(tmp_path):
    python = tmp_path / "old" / "bin" / "python"
    run(uv.find_uv_bin(), "venv", "--python", old_pythons()[0], tmp_path / "old")
    run(uv.find_uv_bin(), "pip", "install", "--python", python, "numpy")
    modules = [path for path in OLD_SYNTAX if path.parent.name != "backends"]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in [*modules, PACKAGE / "measured" / "backends" / "__init__.py"]
    ]
    code = f"import {', '.join(names)}"
    run(python, "-c", code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    compile_all = "import sys\nfor path in sys.argv[1:]: compile(open(path).read(), path, 'exec')"
    run(python, "-c", compile_all, *OLD_SYNTAX)

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gmixbench.lab import interpreters

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """A machine with no Python but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setattr(interpreters, "PLACES", ())
    (tmp_path / "bin").mkdir()
    return tmp_path


def tells(version: str, path: str, headers: str = "True") -> str:
    return f"echo {version}; echo {path}; echo {headers}"


@pytest.mark.usefixtures("nothing")
def test_the_one_that_runs_us_is_found_and_not_its_environment(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # a Python that heeds it does not start
    found = interpreters.find(HERE)
    assert found
    assert (found.version, found.path) == (HERE, Path(sys._base_executable))
    assert interpreters.probe(found.path) == found


def test_one_on_path_is_found(nothing, script):
    script(nothing / "bin" / "python3.6", tells("3.6", "/real/python3.6", headers="False"))
    found = interpreters.find("3.6")
    assert found == interpreters.Interpreter("3.6", Path("/real/python3.6"), headers=False)


def test_one_of_uv_is_found_last(nothing, script, monkeypatch):
    own = script(nothing / "uv" / "python", tells("3.6", "/of/uv"))
    monkeypatch.setattr(interpreters.uv, "find_python", lambda _: own)
    assert interpreters.find("3.6").path == Path("/of/uv")
    script(nothing / "bin" / "python3.6", tells("3.6", "/on/path"))
    assert interpreters.find("3.6").path == Path("/on/path")


@pytest.mark.parametrize(
    ("disguise", "code"),
    [
        ("", 0),
        ("import sys; sys.version_info = (3, 14, 0, 'candidate', 1)", 1),
        ("import platform; platform.python_implementation = lambda: 'PyPy'", 1),
        ("import sysconfig; sysconfig.get_config_var = lambda name: 1", 1),
    ],
    ids=["final", "pre-release", "other implementation", "free-threaded"],
)
def test_what_has_no_wheels_is_not_taken(disguise, code):
    command = [sys.executable, "-c", f"{disguise}\n{interpreters._PROBE}"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_a_shim_that_fails_is_passed_over(nothing, script):
    script(
        nothing / "bin" / "python3.6", "echo 'pyenv: python3.6: command not found' >&2; exit 127"
    )
    assert interpreters.find("3.6") is None
    real = script(nothing / "pyenv/versions/3.6.15/bin/python", tells("3.6", "/real/python3.6"))
    script(nothing / "pyenv/versions/3.6.9/bin/python", tells("3.6", "/older"))
    found = interpreters.find("3.6")
    assert real.exists()
    assert found == interpreters.Interpreter("3.6", Path("/real/python3.6"), headers=True)


def test_another_version_under_that_name_is_passed_over(nothing, script):
    script(nothing / "bin" / "python3.6", tells("3.7", "/wrong"))
    script(nothing / "pyenv/versions/3.6.15/bin/python", "echo 3.6")  # and tells no more
    assert interpreters.find("3.6") is None


def test_one_that_can_not_be_run_is_passed_over(nothing):
    broken = nothing / "bin" / "python3.6"
    broken.write_bytes(b"\x7fELF not really")
    broken.chmod(0o755)
    os.symlink(nothing / "gone", nothing / "bin" / "python3.7")  # noqa: PTH211  # target first, as a shell has it
    assert interpreters.find("3.6") is None
    assert interpreters.find("3.7") is None


def test_how_to_get():
    assert interpreters.how_to_get("3.6") == "`pyenv install 3.6`"
    assert "uv python install 3.12" in interpreters.how_to_get("3.12")

import os
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


def tells(version: str, path: str) -> str:
    return f"echo {version}; echo {path}; echo True"


def test_the_one_that_runs_us_is_found():
    found = interpreters.find(HERE)
    assert found
    assert found.version == HERE
    assert interpreters.probe(found.path) == found


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
    assert interpreters.find("3.6") is None


def test_one_that_can_not_be_run_is_passed_over(nothing):
    broken = nothing / "bin" / "python3.6"
    broken.write_bytes(b"\x7fELF not really")
    broken.chmod(0o755)
    os.symlink(nothing / "gone", nothing / "bin" / "python3.7")  # noqa: PTH211  # target first, as a shell has it
    assert interpreters.find("3.6") is None
    assert interpreters.find("3.7") is None


def test_how_to_get():
    assert "pyenv install 3.6" in interpreters.how_to_get("3.6")
    assert "uv python install 3.12" in interpreters.how_to_get("3.12")

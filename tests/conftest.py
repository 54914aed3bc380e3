"""What holds for every test."""

import os
import shutil

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")  # read when matplotlib is first imported


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `browser` where no browser is installed; `.ci/run` installs one."""
    if shutil.which("chromium"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no chromium on PATH"))

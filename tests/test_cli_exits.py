"""Errors that end in one line and an exit code, not in a traceback."""

import sys
from pathlib import Path

from gmixbench.lab.history import Header, write_header


def test_parquet_without_pyarrow(call, monkeypatch):
    folder = Path("history")
    folder.mkdir()
    write_header(folder, Header("quick", ()))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = call("history", "export", folder, "--format", "parquet")
    assert said.code == 2
    assert said.err == "gmixbench: parquet needs pyarrow: pip install 'gmixbench[parquet]'\n"
    assert not (folder / "history.parquet").exists()

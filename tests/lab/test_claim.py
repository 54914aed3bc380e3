"""A folder is one's own or empty, or nothing in it is touched."""

from pathlib import Path

import pytest

from gmixbench.lab.claim import (
    COMPARISON,
    HISTORY,
    RUN,
    Owner,
    locked,
    refuse_all_but_folders,
)
from gmixbench.lab.store import FolderError


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        locked(out, RUN),
        pytest.raises(FolderError, match=r"another run is at work in .*: give another --out"),
        locked(out, RUN),
    ):
        pass
    with locked(out, RUN):
        pass


@pytest.mark.parametrize("owner", [RUN, COMPARISON, HISTORY])
@pytest.mark.parametrize("name", ["plan.json", "compare.json", "history.json", "notes.txt"])
def test_what_others_left_is_refused_and_not_touched(
    tmp_path: Path, owner: Owner, name: str
) -> None:
    put(tmp_path / "data" / "more.npy", tmp_path / name)
    if name == owner.mark:
        with locked(tmp_path, owner):
            return
    with pytest.raises(FolderError) as caught, locked(tmp_path, owner):
        pass
    told = str(caught.value)
    assert told.startswith(f"{tmp_path} holds ")
    assert told.endswith(": give another --out")
    assert f"({name}): " in told or "'data', which" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["data", name])


@pytest.mark.parametrize("name", [".lock", ".work/caches", ".gitignore", "worker.pyz"])
def test_what_an_interrupt_leaves_is_no_content(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    with locked(tmp_path, COMPARISON):
        pass


def test_what_can_t_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "file")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        with (
            pytest.raises(FolderError, match=f"{out}: not a directory: give another --out"),
            locked(out, RUN),
        ):
            pass

    def denied(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", denied)
    with (
        pytest.raises(FolderError, match="none: Permission denied: give another --out"),
        locked(tmp_path / "none", RUN),
    ):
        pass


def test_a_folder_of_folders_holds_nothing_else(tmp_path: Path) -> None:
    refuse_all_but_folders(tmp_path / "none", COMPARISON)
    put(tmp_path / "one" / "compare.json", tmp_path / "two" / "worker.pyz", tmp_path / ".lock")
    refuse_all_but_folders(tmp_path, COMPARISON)
    put(tmp_path / "three" / "plan.json")
    with pytest.raises(FolderError, match=r"three holds what `run` or `scale` left \(plan.json\)"):
        refuse_all_but_folders(tmp_path, COMPARISON)
    put(tmp_path / "compare.json")
    with pytest.raises(FolderError, match=f"{tmp_path} holds what `compare`, `noise` or `bisect`"):
        refuse_all_but_folders(tmp_path, COMPARISON)

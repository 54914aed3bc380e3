"""A git repository for asv of each library of a history: a commit for each release.

The commit has the release's date, the tag its version, and the one file in it is its lock file, so
that `git diff` between tags tells what else changed. Author and times are fixed: the same releases
give the same commits.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gmixbench.disk import TEMPORARY, write_bytes
from gmixbench.report.asv_results import BRANCH, MADE_BY, asv_files
from gmixbench.report.history_words import library
from gmixbench.ruler.history import History, Release

LOCK = "requirements.txt"

AUTHOR = "gmixbench <gmixbench@localhost>"

NOON = 12
"""Hour (UTC) of a commit: it then has the release's date in most time zones."""


class RepositoryError(ValueError):
    """A folder that isn't ours to write, or a git that does not do it; one line says which."""


def write_asv_repositories(
    history: History, stacks: Collection[str], locks: Mapping[str, str], folder: Path
) -> list[Path]:
    """Make `folder/LIBRARY` anew for each library of some releases, or all stay as they are.

    Parameters
    ----------
    stacks
        Of the releases to show.
    locks
        Text of the lock file by stack; a release without one gets the versions that were measured.

    Raises
    ------
    RepositoryError
        The folder holds something else, or git can't be had.
    OSError
        It can't be written.
    """
    lines: dict[str, list[Release]] = {}
    for release in history.releases:
        if release.stack in stacks:
            lines.setdefault(release.ppl, []).append(release)
    targets = {ppl: folder / ppl for ppl in lines}
    _check(folder, [*targets.values()])
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{TEMPORARY}*"):  # of a process that was killed
        shutil.rmtree(leftover)
    with TemporaryDirectory(dir=folder, prefix=TEMPORARY) as made:
        for ppl, releases in lines.items():
            _make(history, releases, locks, Path(made) / ppl)
        for ppl, target in targets.items():
            _put(Path(made) / ppl, target, aside=Path(made) / f"{ppl}.old")
    return [*targets.values()]


def _put(new: Path, target: Path, aside: Path) -> None:
    if target.exists():
        target.rename(aside)
    try:
        new.rename(target)
    except BaseException:  # Ctrl-C too leaves nothing half made; it is raised again
        if aside.exists():
            aside.rename(target)
        raise


def _check(folder: Path, targets: Sequence[Path]) -> None:
    if not folder.exists():
        return
    there = [path for path in folder.iterdir() if not path.name.startswith(TEMPORARY)]
    strangers = [target for target in targets if target in there and not _ours(target)]
    if strangers or (there and not any(_ours(path) for path in there)):
        raise RepositoryError(
            f"{(strangers or [folder])[0]} is there, and `{MADE_BY}` did not make it: "
            "give a folder that is empty or not there"
        )


def _ours(path: Path) -> bool:
    try:
        told = json.loads((path / "asv.conf.json").read_text(encoding="utf-8"))
        return bool(told["made_by"] == MADE_BY)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _make(
    history: History, releases: Sequence[Release], locks: Mapping[str, str], folder: Path
) -> None:
    folder.mkdir()
    _git(folder, "init", "--quiet", "--template=")
    exclude = b"/asv.conf.json\n/results/\n/html/\n"
    write_bytes(folder / ".git" / "info" / "exclude", exclude)
    _git(folder, "fast-import", "--quiet", feed=_stream(releases, locks))
    _git(folder, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    _git(folder, "reset", "--quiet", "--hard")
    commits = _git(folder, "rev-list", "--reverse", BRANCH).split()
    told = {
        release.stack: (commit, _seconds(release))
        for release, commit in zip(releases, commits, strict=True)
    }
    for path, content in asv_files(history, releases, told).items():
        write_bytes(folder / path, content)


def _stream(releases: Sequence[Release], locks: Mapping[str, str]) -> bytes:
    """All commits and tags as `git fast-import` reads them."""
    parts = []
    versions = Counter(release.version for release in releases)
    for k, release in enumerate(releases, 1):
        when = f"{AUTHOR} {_seconds(release)} +0000\n"
        message = (
            f"{library(release.ppl)} {release.version}\n\n"
            f"{release.stack}, released {release.released}, on Python {release.python}\n"
        )
        tag = release.version if versions[release.version] == 1 else release.stack
        parts += [
            f"commit refs/heads/{BRANCH}\nmark :{k}\nauthor {when}committer {when}",
            _data(message),
            f"M 100644 inline {LOCK}\n",
            _data(locks.get(release.stack) or _pins(release)),
            f"reset refs/tags/{tag}\nfrom :{k}\n\n",
        ]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _pins(release: Release) -> str:
    pins = (f"{name}=={version}\n" for name, version in sorted(release.packages.items()))
    return f"# the versions of {release.stack}; its lock file was not at hand\n{''.join(pins)}"


def _seconds(release: Release) -> int:
    day = datetime.fromisoformat(release.released)
    return int(day.replace(hour=NOON, tzinfo=UTC).timestamp())


def _git(folder: Path, *arguments: str, feed: bytes = b"") -> str:
    # What its user has set must not change what is made.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=feed,
            capture_output=True,
            check=True,
            env=variables,
        )
    except FileNotFoundError:
        raise RepositoryError("git is not on PATH: install it, for asv needs it too") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise RepositoryError(f"git {arguments[0]} in {folder} says: {said[0]}") from error
    return done.stdout.decode()

"""Make the lock file of a stack: uv resolves, for one Python, as if a past day were today."""

import re
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import chain, takewhile
from pathlib import Path

from gmixbench.disk import write_bytes
from gmixbench.lab import building, interpreters, uv
from gmixbench.lab.interpreters import Interpreter
from gmixbench.lab.stacks import (
    PPLS,
    Source,
    Stack,
    StackError,
    check_name,
    is_date,
    normalized,
)

GRACE = timedelta(days=21)
"""How long after a release its dependencies may still come out, unless a cut-off is given: what
broke with it has been mended by then, and what breaks it has rarely come."""


@dataclass(frozen=True)
class Beside:
    """What is wanted of packages that come with others.

    Attributes
    ----------
    pins
        package -> version that it has, if it is needed at all.
    prefer
        package -> version that it has unless something speaks against it.
    wheels
        Packages of which a version that has no wheel is not considered: it would be compiled.
    """

    pins: Mapping[str, str]
    prefer: Mapping[str, str]
    wheels: frozenset[str] = frozenset()


_DISTRIBUTION = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXACT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*[^\s*,;]+")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:==([^\s;]+)| @ (\S+))", re.MULTILINE)


def lock(
    name: str,
    requirements: Sequence[str],
    *,
    cutoff: str | None = None,
    python: str | None = None,
    later: Mapping[str, str] | None = None,
    beside: Beside | None = None,
    say: uv.Say = lambda _: None,
) -> Stack:
    """Resolve requirements into a stack; its `text()` is the lock file.

    Parameters
    ----------
    name : of the stack
    requirements : each a version (`pymc==5.16.2`), a wheel's path, a local checkout, or a VCS
        address (`git+https://...@rev`). Of a checkout or address a wheel is built now and kept in
        the user's cache, so that every stack is pinned and hashed alike.
    cutoff : ISO date, inclusive (UTC); what came out later is not considered. Unless given, 21
        days after the release, or after a younger one that is asked for beside it (`jax==0.10.1`)
        and has no cut-off of its own, but not after today
    python : minor version; unless given, the newest that had come out by the cut-off, is on this
        machine, and resolves
    later : package -> date, for packages that need a cut-off of their own
    beside : what is wanted of the packages that the requirements bring with them
    say : told what is going on

    Raises
    ------
    StackError
        It can't be resolved, or nothing that is measured is among the requirements.
    """
    check_name(name)
    if not requirements:
        raise StackError(f"{name}: say what it holds, such as `pymc==5.16.2`")
    for day in [cutoff, *(later or {}).values()]:
        if day is not None and not is_date(day):
            raise StackError(f"{name}: {day!r} is no date: write it as 2024-08-05")
    refused: list[uv.UvError] = []
    for interpreter in _interpreters(name, python):
        try:
            found = _resolve(name, requirements, cutoff, interpreter, later or {}, beside, say)
        except uv.UvError as error:
            if python or not error.may_differ:
                raise
            refused.append(error)
            continue
        if python or interpreters.RELEASED.get(interpreter.version, "") <= found.cutoff:
            return found
    if refused:
        raise refused[0]
    raise StackError(f"{name}: no Python of its time is on this machine")


def asked(stack: Stack) -> tuple[str, ...]:
    """Packages that a stack was locked for; the others came because these need them."""
    words = takewhile(lambda word: not word.startswith("--"), stack.made.split()[4:])
    named = (_DISTRIBUTION.match(word.lstrip("'")) for word in words)
    names = [normalized(found[1]) for found in named if found]
    built = [source.package for source in stack.sources]
    return tuple(dict.fromkeys(name for name in [*built, *names] if name in stack.packages))


def renamed(stack: Stack, name: str) -> Stack:
    """The same stack under another name, which must be that of its file."""
    made = stack.made.replace(f" lock {stack.name} ", f" lock {name} ", 1)
    return replace(stack, name=name, made=made)


def write(stack: Stack, locks: Path) -> Path:
    """Write a stack's lock file, whole or not at all; gives its path.

    Raises
    ------
    OSError
        It can't be written.
    """
    path = locks / f"{stack.name}.txt"
    write_bytes(path, stack.text().encode())
    return path


def _interpreters(name: str, python: str | None) -> Iterable[Interpreter]:
    for wanted in [python] if python else interpreters.RELEASED:
        found = interpreters.find(wanted)
        if found:
            yield found
        elif python:
            get = interpreters.how_to_get(python)
            raise StackError(f"{name}: no Python {python} runs on this machine: {get}")


def _resolve(
    name: str,
    requirements: Sequence[str],
    cutoff: str | None,
    interpreter: Interpreter,
    later: Mapping[str, str],
    beside: Beside | None,
    say: uv.Say,
) -> Stack:
    python = str(interpreter.path)
    with tempfile.TemporaryDirectory(prefix="gmixbench-") as scratch:
        folder = Path(scratch)
        wheels = {each: _wheel(name, each, folder, interpreter, say) for each in requirements}
        sources = tuple(each for each in wheels.values() if each)
        lines = [_line(each, wheels[each]) for each in requirements]
        package, requirement = _measured(name, lines)
        today = datetime.now(UTC).date()
        if package in {each.package for each in sources}:
            released = today.isoformat()
        else:
            released = _released(name, requirement, package, python, folder)
        if cutoff is None:
            days = [
                _released(name, line, other, python, folder)
                for line, other in _exact(lines).items()
                if other not in {package, *later}
            ]
            day = date.fromisoformat(max([released, *days])) + GRACE
            cutoff = min(day, today).isoformat()
        say(f"{name}: resolving on Python {interpreter.version} as of {cutoff}")
        locked = folder / "locked.txt"
        options = [*uv.dates(cutoff, later), "--generate-hashes", "--output-file", str(locked)]
        options += _wanted(beside, folder, locked)
        _compile(name, lines, options, python=python, folder=folder)
        text = locked.read_text(encoding="utf-8")
    packages, hashes = _pins(name, text, sources)
    if beside:  # a command has no word for it, but can name all that came of it
        given = [each for each in requirements if wheels[each]]
        requirements = [*given, *_versions(packages, package, sources)]
    return Stack(
        name=name,
        ppl=PPLS[package],
        package=package,
        version=packages[package],
        released=released,
        python=interpreter.version,
        platform=interpreters.platform_name(),
        cutoff=cutoff,
        later=dict(later),
        made=_command(name, requirements, cutoff, interpreter.version, later),
        by=f"uv {uv.version()} on {today}",
        sources=sources,
        packages=packages,
        hashes=hashes,
    )


def _measured(name: str, lines: Iterable[str]) -> tuple[str, str]:
    for line in lines:
        found = _DISTRIBUTION.match(line)
        if found and normalized(found[1]) in PPLS:
            return normalized(found[1]), line
    raise StackError(f"{name}: none of {', '.join(PPLS)} is among its requirements")


def _exact(lines: Iterable[str]) -> dict[str, str]:
    """Those that name one version, each with its package."""
    found = {line: _EXACT.fullmatch(line) for line in lines}
    return {line: normalized(each[1]) for line, each in found.items() if each}


def _compile(
    name: str, lines: Iterable[str], options: Sequence[str], *, python: str, folder: Path
) -> str:
    asked = folder / "asked.in"
    asked.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return uv.run(
        [
            *("pip", "compile", str(asked), "--quiet", "--python", python),
            *("--no-header", "--no-annotate", *options),
        ],
        what=name,
        folder=folder,
    )


def _wanted(beside: Beside | None, folder: Path, locked: Path) -> list[str]:
    """Options for what is wanted of other packages."""
    if beside is None:
        return []
    # uv keeps the versions of an output file that is there, if it can.
    locked.write_text(_lines(beside.prefer), encoding="utf-8")
    pins = folder / "pins.in"
    pins.write_text(_lines(beside.pins), encoding="utf-8")
    only = (("--only-binary", name) for name in sorted(beside.wheels))
    return ["--constraint", str(pins), *chain.from_iterable(only)]


def _lines(versions: Mapping[str, str]) -> str:
    return "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))


def _versions(packages: Mapping[str, str], first: str, sources: Iterable[Source]) -> Iterable[str]:
    others = {*packages} - {each.package for each in sources}
    for name in sorted(others, key=lambda name: (name != first, name)):
        yield f"{name}=={packages[name]}"


def _released(name: str, requirement: str, package: str, python: str, folder: Path) -> str:
    """Day on which the first file of the version came out (UTC)."""
    options = ["--no-deps", "--format", "pylock.toml"]
    found = tomllib.loads(_compile(name, [requirement], options, python=python, folder=folder))
    for each in found["packages"]:
        if normalized(each["name"]) == package:
            files = [*each.get("wheels", ()), *filter(None, [each.get("sdist")])]
            times = [file["upload-time"] for file in files if "upload-time" in file]
            if times:
                return min(times).astimezone(UTC).date().isoformat()  # type: ignore[no-any-return]  # TOML
    raise StackError(f"{name}: the index does not tell when {requirement} came out: give --cutoff")


def _pins(
    stack: str, text: str, sources: Sequence[Source]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    versions = {each.package: each.wheel.split("-")[1] for each in sources}
    packages: dict[str, str] = {}
    hashes: dict[str, tuple[str, ...]] = {}
    starts = [*_PIN.finditer(text)]
    for start, end in zip(starts, [*(each.start() for each in starts[1:]), len(text)], strict=True):
        name = normalized(start[1])
        if start[3] and name not in versions:
            raise StackError(
                f"{stack}: it needs {name} from {start[3]}, which a lock can't keep: "
                "have it need a version of an index"
            )
        packages[name] = start[2] or versions[name]
        hashes[name] = tuple(
            sorted(re.findall(r"sha256:([0-9a-f]{64})", text[start.start() : end]))
        )
    return packages, hashes


def _line(requirement: str, wheel: Source | None) -> str:
    if wheel is None:
        return requirement
    return f"{wheel.package} @ {building.wheel_path(wheel.sha256, wheel.wheel).as_uri()}"


def _wheel(
    name: str, requirement: str, folder: Path, interpreter: Interpreter, say: uv.Say
) -> Source | None:
    """Keep the wheel that a requirement is, or that is built of it; None for a plain version."""
    if requirement.startswith("git+"):
        address, revision = _address(requirement)
        checkout = folder / "checkout"
        say(f"{name}: cloning {_last_part(address)}")
        _git(name, "clone", "--quiet", address, str(checkout))
        if revision:
            _git(name, "-C", str(checkout), "checkout", "--quiet", "--detach", revision)
        commit = _git(name, "-C", str(checkout), "rev-parse", "HEAD").strip()
        origin = f"{_shown(requirement)} (commit {commit})"
        return _keep(_built(name, checkout, folder, interpreter, say), origin)
    path = Path(requirement)
    if requirement.endswith(".whl"):
        if not path.is_file():
            raise StackError(f"{name}: there is no wheel {requirement}")
        return _keep(path, path.name)
    if path.is_dir():
        if not any((path / each).is_file() for each in ("pyproject.toml", "setup.py")):
            raise StackError(
                f"{name}: {requirement} is no checkout: no pyproject.toml, no setup.py"
            )
        return _keep(
            _built(name, path, folder, interpreter, say), f"checkout {path.resolve().name}"
        )
    if "://" in requirement or " @ " in requirement:
        raise StackError(
            f"{name}: {requirement!r} is neither a version (pymc==5.16.2), a wheel, a checkout nor "
            "a VCS address (git+https://...@rev)"
        )
    if "/" in requirement:
        raise StackError(f"{name}: there is no {requirement}")
    return None


def _built(name: str, checkout: Path, folder: Path, interpreter: Interpreter, say: uv.Say) -> Path:
    say(f"{name}: building a wheel of {checkout.resolve().name}")
    out = folder / "wheels"
    shutil.rmtree(out, ignore_errors=True)  # mostly not there
    uv.run(
        [
            *("build", "--quiet", "--wheel", "--out-dir", str(out)),
            *("--python", str(interpreter.path), str(checkout.resolve())),
        ],
        what=name,
        folder=folder,
    )
    return next(out.glob("*.whl"))


def _keep(wheel: Path, origin: str) -> Source:
    content = wheel.read_bytes()
    digest = sha256(content).hexdigest()
    write_bytes(building.wheel_path(digest, wheel.name), content)
    return Source(wheel.name, digest, origin)


def _address(requirement: str) -> tuple[str, str | None]:
    plain = requirement.removeprefix("git+").partition("#")[0]
    before, at, revision = plain.rpartition("@")
    # An @ before the last slash belongs to a user's name: git+ssh://git@host/owner/project.
    return (before, revision) if at and "/" not in revision else (plain, None)


def revision(name: str, requirement: str) -> str:
    """What the revision of a VCS address is now, in git's words; nothing for a commit's hash.

    Raises
    ------
    StackError
        It can't be asked.
    """
    address, wanted = _address(requirement)
    return _git(name, "ls-remote", "--quiet", address, wanted or "HEAD")


def _git(name: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise StackError(f"{name}: git is not here: install it") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StackError(f"{name}: git {arguments[0]} failed: {last}")
    return done.stdout


def _command(
    name: str,
    requirements: Sequence[str],
    cutoff: str,
    python: str,
    later: Mapping[str, str],
) -> str:
    words = ["gmixbench", "stacks", "lock", name, *map(_shown, requirements)]
    words += ["--cutoff", cutoff, "--python", python]
    for package, day in later.items():
        words += ["--exclude-newer-package", f"{package}={day}"]
    return shlex.join(words)


def _shown(requirement: str) -> str:
    """A requirement without the folders of this machine."""
    if requirement.startswith("git+file://"):
        return f"git+file://{_last_part(requirement)}"
    if requirement.endswith(".whl") or Path(requirement).is_dir():
        # With the dot no one can take it for the release of that name.
        return f"./{_last_part(str(Path(requirement).resolve()))}"
    return requirement


def _last_part(address: str) -> str:
    return address.rstrip("/").rsplit("/", 1)[-1]

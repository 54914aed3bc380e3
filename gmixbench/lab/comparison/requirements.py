"""Several requirements in one text, such as "numpyro==0.21.0 jax==0.10.0"."""

import re
from dataclasses import dataclass

from gmixbench.lab.stacks import StackError, normalized

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9.*+!_-]+"
_BOUND = rf"(?:===|[=~!<>]=|[<>])\s*{_VERSION}"
_BOUNDS = rf"{_BOUND}(?:\s*,\s*{_BOUND})*"
_EXTRAS = r"\[[A-Za-z0-9,._ -]*\]"

# An extra "[...]" may contain a comma, and bounds stand between commas too: a text can't be split
# at them, but read from its start. A folder or an address ends at a space or a comma.
_ONE = re.compile(
    rf"""(?:
        (?P<named>{_NAME})\s*@\s*(?P<address>git\+[^\s,]+)
        | (?P<pinned>{_NAME})(?:@|\s*==\s*)(?P<version>[A-Za-z0-9.+!]+)
        | (?P<other>git\+[^\s,]+ | [^\s,]*/[^\s,]* | [^\s,]+\.whl
            | {_NAME}(?:{_EXTRAS})?(?:\s*{_BOUNDS})?)
    )(?=[\s,]|$)(?!\s*,\s*[=~!<>])""",
    re.VERBOSE,
)
_GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Requirement:
    """A version, a wheel, a checkout or an address, as `lab.locking` takes it.

    `package` and `version` are told where the text has exactly one of them, `package` alone where
    it says what is at an address.
    """

    text: str
    package: str | None = None
    version: str | None = None


def parse(text: str) -> tuple[Requirement, ...]:
    """Requirements of a text, one after another, between spaces or commas.

    Raises
    ------
    StackError
        It is none, or has something that is none.
    """
    found = []
    place = _skip(text, 0)
    while place < len(text):
        one = _ONE.match(text, place)
        if not one:
            raise StackError(
                f"{text[place:]!r} is no requirement: write NAME==VERSION, a path with a "
                "slash, or git+https://...@rev"
            )
        found.append(_requirement(one))
        place = _skip(text, one.end())
    if not found:
        raise StackError("it names nothing: write a stack, NAME==VERSION, or a path with a slash")
    return tuple(found)


def _skip(text: str, place: int) -> int:
    gap = _GAP.match(text, place)
    return gap.end() if gap else place


def _requirement(one: re.Match[str]) -> Requirement:
    if one["address"]:
        return Requirement(one["address"], normalized(one["named"]))
    if one["pinned"]:
        package = normalized(one["pinned"])
        return Requirement(f"{package}=={one['version']}", package, one["version"])
    return Requirement(one["other"])

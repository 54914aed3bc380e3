"""What the benchmarks run on: machine, versions, threads, and a digest of all that is installed."""

from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import Distribution, distributions

from gmixbench.lab import environment


def describe() -> dict[str, str]:
    """Machine, versions and threads of what is measured beside us; plugin.py has the keys.

    The digest is of what is installed, not of a lock file: nothing holds the environment in which a
    library is developed to one, and two commits of a development build differ in it.
    """
    return {**environment.describe(), "threads": "1", "lock": lock(distributions())}


def lock(installed: Iterable[Distribution]) -> str:
    """SHA-256 of all names and versions, and of the address or commit installed from, if any."""
    lines = {
        f"{each.name}=={each.version} {each.read_text('direct_url.json') or ''}"
        for each in installed
    }
    return sha256("\n".join(sorted(lines)).encode()).hexdigest()

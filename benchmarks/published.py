"""What every published table says of itself: versions, machine and day; and where it goes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

TITLES = {
    "python": "Python",
    "pymc": "PyMC",
    "pymc-extras": "pymc-extras",
    "nutpie": "nutpie",
    "numpyro": "NumPyro",
    "blackjax": "BlackJAX",
    "jax": "JAX",
    "numba": "Numba",
}


def versions(environment: Mapping[str, str], *packages: str) -> str:
    """Names and versions of these packages, as far as the environment has them."""
    there = (name for name in packages if name in environment)
    return ", ".join(f"{TITLES[name]} {environment[name]}" for name in there)


def machine(environment: Mapping[str, str]) -> str:
    """Processor and number of cores."""
    return f"{environment['cpu']}, {environment['cores']} cores"


def planned(out: Path) -> date:
    """Day on which the measuring of a folder began, UTC."""
    return datetime.fromtimestamp((out / "plan.json").stat().st_mtime, UTC).date()


def into_readme(parts: Mapping[str, str]) -> None:
    """Put other content between the README's marks of these names.

    Raises
    ------
    SystemExit
        The README has no such marks.
    """
    text = README.read_text(encoding="utf-8")
    for name, content in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"{README} has no {begin} ... {end}")
        text = f"{before}{begin}\n{content}\n{end}{after}"
    README.write_text(text, encoding="utf-8")

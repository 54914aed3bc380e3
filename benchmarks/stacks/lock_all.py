"""Make all lock files of this folder again, build each, and import its library there.

    python benchmarks/stacks/lock_all.py                 every row
    python benchmarks/stacks/lock_all.py pymc-v5.16.2    some
    python benchmarks/stacks/lock_all.py --only-new      those that have no lock file yet

A lock that does not import is not kept, and the reason is printed; `unavailable.md` names the
releases that can't be had. An index keeps what came out before the cut-off, but for releases that
were deleted: the same rows give the same locks.
"""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from gmixbench.lab import building, locking
from gmixbench.lab.stacks import StackError

HERE = Path(__file__).parent

# Newer ones can't build Theano and its time: setuptools dropped use_2to3, pandas 1.1 needs a newer
# numpy. The pin is for what imports pkg_resources and distutils from the environment.
OLD = {"setuptools": "2021-01-01", "wheel": "2021-01-01", "pandas": "2020-07-01"}
SETUPTOOLS = "setuptools==50.3.2"

# The index holds no jaxlib below 0.4.13, and this one came there later than it was released.
JAX = ("jax==0.4.13", "jaxlib==0.4.13")
JAXLIB = {"jaxlib": "2026-01-01"}


@dataclass(frozen=True)
class Row:
    """One release: what to lock, on which Python, and as of which day (21 days after it)."""

    package: str
    version: str
    python: str
    cutoff: str | None = None
    beside: tuple[str, ...] = ()
    later: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the stack."""
        return f"{self.package}-v{self.version}"


ROWS = (
    Row(
        "pymc3",
        "3.5",
        "3.6",
        "2018-08-20",
        (SETUPTOOLS, "dataclasses==0.8"),
        OLD | {"dataclasses": "2021-01-01"},
    ),
    Row("pymc3", "3.6", "3.7", "2019-01-20", (SETUPTOOLS,), OLD),
    Row("pymc3", "3.7", "3.7", None, (SETUPTOOLS,), OLD),
    # matplotlib 3.1.2, of its 21 days, fails on import where ImageMagick does; 3.1.3 does not.
    Row("pymc3", "3.8", "3.7", "2020-02-10", (SETUPTOOLS,), OLD),
    Row("pymc3", "3.9.3", "3.8"),  # the newest Python of its time
    Row("pymc3", "3.10.0", "3.8"),  # NumPy had no wheels for 3.9 yet
    Row("pymc3", "3.11.5", "3.9", "2022-04-15"),
    Row("pymc", "4.0.1", "3.10"),
    Row("pymc", "4.1.7", "3.10"),
    Row("pymc", "4.2.2", "3.10"),
    Row("pymc", "4.3.0", "3.10"),
    Row("pymc", "4.4.0", "3.10", "2022-12-15"),
    Row("pymc", "5.0.2", "3.10", "2023-02-15"),
    Row("pymc", "5.1.2", "3.10"),
    Row("pymc", "5.2.0", "3.10"),
    Row("pymc", "5.3.1", "3.10"),
    Row("pymc", "5.4.1", "3.10"),
    Row("pymc", "5.5.0", "3.10"),
    Row("pymc", "5.6.1", "3.10", "2023-08-10"),
    Row("pymc", "5.7.2", "3.10"),
    # PyTensor of the time can't do with numpy 1.26, which came out five days before this.
    Row("pymc", "5.8.2", "3.10", None, (), {"numpy": "2023-09-10"}),
    Row("pymc", "5.9.2", "3.10"),
    Row("pymc", "5.10.4", "3.10", "2024-03-10"),
    Row("pymc", "5.11.0", "3.12"),
    Row("pymc", "5.12.0", "3.12"),
    Row("pymc", "5.13.1", "3.12"),
    Row("pymc", "5.14.0", "3.12"),
    Row("pymc", "5.15.1", "3.12"),
    Row("pymc", "5.16.2", "3.12", "2024-08-05"),
    Row("pymc", "5.17.0", "3.12"),
    Row("pymc", "5.18.2", "3.12"),
    Row("pymc", "5.19.1", "3.12"),
    Row("pymc", "5.20.1", "3.12", "2025-03-01"),
    Row("pymc", "5.21.2", "3.12"),
    Row("pymc", "5.22.0", "3.12"),
    Row("pymc", "5.23.0", "3.12"),
    Row("pymc", "5.24.1", "3.12"),
    Row("pymc", "5.25.1", "3.12", "2025-08-20"),
    Row("pymc", "5.26.1", "3.12"),
    Row("pymc", "5.27.1", "3.12"),
    Row("pymc", "5.28.5", "3.12", "2026-05-20"),
    Row("pymc", "6.0.1", "3.13", "2026-06-10"),
    # Else the resolver takes the youngest NumPy and a pre-release of Numba that can't do with it.
    Row("pymc", "6.1.0", "3.13", None, ("numpy<2.5",)),
    Row("pymc", "6.2.0", "3.13", None, ("numpy<2.5",)),
    Row("pymc", "6.3.2", "3.13", "2026-10-01"),
    Row("pymc", "6.4.0", "3.13", "2026-11-22"),
    Row("numpyro", "0.10.1", "3.10", "2023-07-31", JAX, JAXLIB),
    Row("numpyro", "0.11.0", "3.10", "2023-07-31", JAX, JAXLIB),
    Row("numpyro", "0.12.1", "3.10", "2023-07-31", JAX, JAXLIB),
    # The index holds no jaxlib from 0.4.14 to 0.4.17.
    Row("numpyro", "0.13.0", "3.10", "2023-10-10"),
    Row("numpyro", "0.13.1", "3.10"),
    Row("numpyro", "0.13.2", "3.10", "2023-10-10"),
    Row("numpyro", "0.14.0", "3.12"),
    Row("numpyro", "0.15.0", "3.12"),
    Row("numpyro", "0.15.1", "3.12"),
    Row("numpyro", "0.15.2", "3.12"),
    Row("numpyro", "0.15.3", "3.12", "2024-10-05"),
    Row("numpyro", "0.16.0", "3.12"),
    Row("numpyro", "0.16.1", "3.12", "2024-12-15"),
    Row("numpyro", "0.17.0", "3.12"),
    Row("numpyro", "0.18.0", "3.12", "2025-04-01"),
    Row("numpyro", "0.19.0", "3.12", "2025-08-25"),
    Row("numpyro", "0.20.0", "3.13"),
    Row("numpyro", "0.20.1", "3.13", "2026-04-10"),
    Row("numpyro", "0.21.0", "3.13", "2026-05-20"),
    Row("numpyro", "0.22.0", "3.13", "2026-11-22"),
)


def make(row: Row) -> None:
    """Lock a row, build it, and import its library; the lock file stands only if all went well."""
    stack = locking.lock(
        row.name,
        [f"{row.package}=={row.version}", *row.beside],
        cutoff=row.cutoff,
        python=row.python,
        later=row.later,
    )
    python = building.build(stack)
    done = subprocess.run(
        [str(python), "-c", f"import {row.package}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        raise StackError(f"{row.name}: `import {row.package}` fails: {last}")
    locking.write(stack, HERE)


def main(words: list[str]) -> int:
    """Make the rows that are named, or all; gives how many can't be had."""
    names = [each for each in words if each != "--only-new"]
    strangers = {*names} - {row.name for row in ROWS}
    if strangers:
        raise SystemExit(f"no row is named {', '.join(sorted(strangers))}")
    failed = 0
    for row in ROWS:
        if names and row.name not in names:
            continue
        if "--only-new" in words and (HERE / f"{row.name}.txt").exists():
            continue
        try:
            make(row)
            print(f"{row.name}: locked, built, imported", flush=True)
        except StackError as error:
            failed += 1
            print(error, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

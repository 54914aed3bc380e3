"""Measure two sides in one job, interleaved, and ask the gate about them.

    python benchmarks/ci/interleave.py BASE NEW --out DIR -- --profile quick

BASE and NEW are `gmixbench` commands, each of an environment of its own. In each round both measure
the same cases with the same seed, in fresh processes, and chance says which goes first: what the
machine does to one side it does to the other. Two jobs would be two machines, and no evidence.

DIR gets the runs, `base/SEED` and `new/SEED`, and their `order.txt`; and of the gate `verdict.md`,
`verdict.xml` and its exit code, in `code`. That is also how this ends: 0 fine, 1 regressed, 2 wrong
use, 3 invalid or not measured, 4 inconclusive.
"""

import argparse
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FINE, REGRESSED, WRONG_USE, NOT_MEASURED, INCONCLUSIVE = range(5)
"""Exit codes of gmixbench."""


class StoppedError(RuntimeError):
    """A command ended as it never should; measuring more is of no use. `code` is ours, then."""

    def __init__(self, code: int, command: Sequence[str]) -> None:
        super().__init__(f"exit code {code}: {' '.join(command)}")
        self.code = WRONG_USE if code == WRONG_USE else NOT_MEASURED


@dataclass(frozen=True)
class Plan:
    """What is measured on which sides.

    Parameters
    ----------
    base, new : the `gmixbench` command of either side
    ruler : the one that judges both
    rounds : in each, both sides measure once
    arguments : of `gmixbench run`
    """

    base: str
    new: str
    ruler: str
    rounds: int
    arguments: Sequence[str]


def order(rounds: int, seed: int) -> list[tuple[int, str]]:
    """Seed of the cases, and side, of each visit; `seed` is that of the order and the first round.

    Examples
    --------
    >>> order(2, seed=1)
    [(1, 'base'), (1, 'new'), (2, 'new'), (2, 'base')]
    """
    both = ["base", "new"]
    random.Random(seed).shuffle(both)  # noqa: S311  # chance, not secrecy
    firsts = [both[k % 2] for k in range(rounds)]  # each side as often as the other
    random.Random(seed + 1).shuffle(firsts)  # noqa: S311  # as above
    return [
        (case_seed, side)
        for case_seed, first in enumerate(firsts, seed)
        for side in (first, both[both[0] == first])
    ]


def compare(plan: Plan, out: Path, seed: int) -> int:
    """Measure all rounds, beginning with `seed`, and ask the gate; gives its exit code.

    Raises
    ------
    StoppedError
        A command ended neither well nor with an invalid run.
    """
    visits = [
        (case_seed, side, out / side / str(case_seed))
        for case_seed, side in order(plan.rounds, seed)
    ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "order.txt").write_text("".join(f"{visit[0]} {visit[1]}\n" for visit in visits))
    for case_seed, side, folder in visits:
        print(f"=== seed {case_seed}, {side}", flush=True)
        command = plan.base if side == "base" else plan.new
        _call(command, "run", *plan.arguments, "--seed", str(case_seed), "--out", str(folder))
    for _, _, folder in visits:
        # What is installed beside each side has judged it: now one ruler judges both.
        _call(plan.ruler, "score", str(folder))
    code = _gate(plan.ruler, out)
    (out / "code").write_text(f"{code}\n")
    return code


def _call(*command: str) -> None:
    code = subprocess.run(command, check=False).returncode
    if code not in {FINE, NOT_MEASURED}:  # an invalid run is a result: the gate names it
        raise StoppedError(code, command)


def _gate(ruler: str, out: Path) -> int:
    answer = out / "verdict.xml"
    answer.unlink(missing_ok=True)
    command = [ruler, "gate", str(out / "base"), str(out / "new")]
    files = ["--markdown", str(out / "verdict.md"), "--junit", str(answer)]
    code = subprocess.run([*command, *files], check=False).returncode
    # An interpreter that fails ends with 1, too: that is no regression.
    if code not in {FINE, REGRESSED, NOT_MEASURED, INCONCLUSIVE} or not answer.is_file():
        raise StoppedError(code, command)
    return code


def asked(text: str | None, words: Sequence[str]) -> tuple[Plan, Path, int]:
    """Plan, folder and first seed from a command line; `text` says what the script is for."""
    own, arguments = list(words), []
    if "--" in own:
        cut = own.index("--")
        own, arguments = own[:cut], own[cut + 1 :]
    parser = argparse.ArgumentParser(
        description=(text or "").partition("\n")[0],
        epilog="What follows -- is for `gmixbench run`.",
    )
    parser.add_argument("base", help="gmixbench command of the side that is known")
    parser.add_argument("new", help="gmixbench command of the side in question")
    parser.add_argument("--ruler", help="the one that judges both; BASE unless given")
    parser.add_argument("--out", type=Path, required=True, help="folder for all that is left")
    # Seven nearly always see a slowdown of 15 % at 5 % noise: README.md has the shares.
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1, help="of the first round and of the order")
    given = parser.parse_args(own)
    if given.out.exists() and any(given.out.iterdir()):
        parser.error(f"--out {given.out} is not empty: what stands there would be judged as new")
    plan = Plan(given.base, given.new, given.ruler or given.base, given.rounds, arguments)
    return plan, given.out, given.seed


def main() -> int:
    """Compare once; gives the exit code."""
    try:
        return compare(*asked(__doc__, sys.argv[1:]))
    except StoppedError as error:
        print(f"interleave: {error}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())

"""Measure a new side against a known one, and once more where that gives an alarm.

    python benchmarks/ci/nightly.py BASE NEW --out DIR -- --backend pymc --profile quick

A first run that finds a regression, or something invalid, is followed by a second one with other
seeds. Confirmed is what both find: the same metric of the same case regressed, or the same case
invalid on the same side. One run alone is no reason to wake somebody: the bias check of one fit
fails by chance once in a thousand, and a night has hundreds.

DIR gets `first` and maybe `second`, as `interleave.py` leaves them, and what is confirmed in
`finding.json`. Exits as that does, but with 1 and 3 for what is confirmed only, else with 4.
"""

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from interleave import INCONCLUSIVE, NOT_MEASURED, REGRESSED, StoppedError, asked, compare

ALARMS = {"failure": REGRESSED, "error": NOT_MEASURED}
"""Exit code that a test in the gate's JUnit file stands for, by the element in it."""


@dataclass(frozen=True)
class Alarm:
    """Something that the gate found wrong in one run: the exit code it stands for, and why."""

    code: int
    reason: str


@dataclass(frozen=True)
class Finding:
    """What two runs agree on: an exit code, and lines that say why, those of each run."""

    code: int
    first: list[str]
    second: list[str]


def confirmed(first: Mapping[str, Alarm], second: Mapping[str, Alarm]) -> Finding | None:
    """What both runs found, by what it is about; None where they do not agree."""
    both = [about for about in first if about in second]
    if not both:
        return None
    # As the gate has it: a regression stands whatever becomes of another case.
    code = min(first[about].code for about in both)
    lines = ([f"{about}: {run[about].reason}" for about in both] for run in (first, second))
    return Finding(code, *lines)


def alarms(out: Path) -> dict[str, Alarm]:
    """What the gate found wrong in a run that `interleave.compare` made: case and metric, or side.

    Where it could judge nothing at all, that is an alarm about everything.
    """
    suite = ET.parse(out / "verdict.xml")  # noqa: S314  # our own gate wrote it
    found = {
        f"{test.get('classname')}, {test.get('name')}": Alarm(code, each.get("message", ""))
        for test in suite.iter("testcase")
        for kind, code in ALARMS.items()
        for each in test.iter(kind)
    }
    if not found and int((out / "code").read_text()) == NOT_MEASURED:
        found["everything"] = Alarm(NOT_MEASURED, suite.findtext(".//system-out", ""))
    return found


def main() -> int:
    """Measure once or twice; gives the exit code."""
    plan, out, seed = asked(__doc__, sys.argv[1:])
    (out / "finding.json").unlink(missing_ok=True)
    try:
        code = compare(plan, out / "first", seed)
        if code not in ALARMS.values():
            return code
        print("=== once more, with other seeds", flush=True)
        compare(plan, out / "second", seed + plan.rounds)
    except StoppedError as error:
        print(f"nightly: {error}", file=sys.stderr)
        return error.code
    finding = confirmed(alarms(out / "first"), alarms(out / "second"))
    if finding is None:
        print("the second run does not confirm what the first one found")
        return INCONCLUSIVE
    (out / "finding.json").write_text(json.dumps(asdict(finding), indent=1) + "\n")
    return finding.code


if __name__ == "__main__":
    sys.exit(main())

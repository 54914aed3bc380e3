"""What was measured, for github-action-benchmark: it draws the charts, and the gate judges.

It knows one direction for each file, so there are two.
"""

import json
from collections.abc import Iterable
from typing import Any

from gmixbench.report.gate_words import change, grounds
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.sides import label
from gmixbench.ruler.tolerances import TOLERANCES

BIGGER, SMALLER = "customBiggerIsBetter", "customSmallerIsBetter"
"""What github-action-benchmark calls its two formats."""


def gate_charts(outcome: Outcome) -> dict[str, bytes]:
    """Content of both files, by the name of the format."""
    rows = outcome.judgements
    return {
        BIGGER: _content(one for one in rows if TOLERANCES[one.metric].sign < 0),
        SMALLER: _content(one for one in rows if TOLERANCES[one.metric].sign > 0),
    }


def _content(judgements: Iterable[Judgement]) -> bytes:
    return (json.dumps([*map(_entry, judgements)], indent=1, allow_nan=False) + "\n").encode()


def _entry(one: Judgement) -> dict[str, Any]:
    return {
        "name": f"{label(one.key)}: {one.metric}",
        "unit": METRICS[one.metric].unit if one.metric in METRICS else "s",
        "value": one.new,
        "range": change(one),
        "extra": f"{one.verdict}\n{grounds(one)}",
    }

"""The gate's answer as JUnit XML: a test for each metric of each case.

What regressed is a failure; what could not be judged, or must have an answer and has none, is an
error; what else is inconclusive is skipped.
"""

import xml.etree.ElementTree as ET

from gmixbench.report.gate_words import change, grounds, headline
from gmixbench.report.verdicts import value
from gmixbench.ruler.contrasts import Judgement
from gmixbench.ruler.gate import Outcome
from gmixbench.ruler.sides import label


def gate_junit(outcome: Outcome) -> bytes:
    """A document with one suite."""
    inconclusive = sum(one.verdict == "inconclusive" for one in outcome.judgements)
    counts = {
        "tests": len(outcome.judgements) + len(outcome.faults),
        "failures": len(outcome.regressed),
        "errors": len(outcome.faults) + len(outcome.unanswered),
        "skipped": inconclusive - len(outcome.unanswered),
    }
    told = {name: str(count) for name, count in counts.items()}
    root = ET.Element("testsuites", told)
    suite = ET.SubElement(root, "testsuite", {"name": "gmixbench gate", **told})
    for fault in outcome.faults:
        test = _test(suite, label(fault.key), f"measured ({fault.side})")
        _told(test, "error", f"{fault.side} {fault.message}")
    for one in outcome.judgements:
        test = _test(suite, label(one.key), one.metric)
        if one in outcome.regressed:
            _told(test, "failure", _words(one))
        elif one in outcome.unanswered:
            _told(test, "error", f"no answer: {_words(one)}")
        elif one.verdict == "inconclusive":
            _told(test, "skipped", f"inconclusive: {_words(one)}")
    lines = (headline(outcome), outcome.refused, *outcome.notes, *outcome.changed)
    ET.SubElement(suite, "system-out").text = _legal("\n".join(filter(None, lines)))
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _test(suite: ET.Element, case: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": _legal(case), "name": name})


def _told(test: ET.Element, kind: str, message: str) -> None:
    ET.SubElement(test, kind, {"message": _legal(message)})


def _words(one: Judgement) -> str:
    sides = f"{value(one.metric, one.baseline)} → {value(one.metric, one.new)}"
    return f"{sides}, {change(one)}; {grounds(one)}"


def _legal(text: str) -> str:
    # XML has no way to write most control characters, and errors hold some: a terminal's colours.
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)

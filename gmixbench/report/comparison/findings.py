"""A finding in words, as part of a sentence or of a table."""

from gmixbench.report import verdicts
from gmixbench.ruler.comparison.nouns import Finding

TITLES = {
    "ess_per_second": "ESS/s",
    "ess_per_gradient": "ESS per gradient evaluation",
    "seconds_per_gradient": "seconds per gradient evaluation",
    "draws_per_second": "draws/s",
    "steps_per_second": "steps/s",
    "gap": "the gap",
    "time_to_ess_1000": "time to ESS 1000",
    "warmup_s": "warm-up",
    "compile_s": "compilation",
    "import_s": "import",
    "peak_memory": "peak memory",
}
"""Metrics as they stand in a sentence; tables have their names."""

SAME = "the same"
"""Change of what repeats in every block, so that no chance is involved."""


def title(metric: str) -> str:
    """A metric as it stands in a sentence."""
    return TITLES.get(metric, metric)


def change(finding: Finding) -> str:
    """By how much, with its interval."""
    if finding.repeats:
        return SAME
    found = finding.change
    return verdicts.change(finding.metric, found.estimate, found.low, found.high)


def size(finding: Finding) -> str:
    """By how much."""
    return SAME if finding.repeats else verdicts.size(finding.metric, finding.change.estimate)


def band(finding: Finding) -> str:
    """How much is no change."""
    return verdicts.band(finding.metric, finding.band)


def told(finding: Finding) -> str:
    """What is said of it, as a clause."""
    name = title(finding.metric)
    if finding.repeats:
        return f"{name} is the same in every block"
    if finding.verdict == "equivalent":
        return f"no change of {name} larger than {band(finding)}"
    remark = f" ({finding.remark})" if finding.remark else ""
    if finding.verdict == "inconclusive":
        return f"{name} is inconclusive: {change(finding)}{remark}"
    return f"{name} {finding.verdict}: {change(finding)}{remark}"

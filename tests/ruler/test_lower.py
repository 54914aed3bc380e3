import math

import pytest

from gmixbench.ruler.lower import LOWER
from gmixbench.ruler.metrics import METRICS


@pytest.mark.parametrize("row", LOWER, ids=lambda row: f"{row.kind}-{row.name}")
def test_what_is_better_is_lower(row):
    metric = METRICS[row.metric]
    good, bad = (2.0, 1.0) if metric.better == "higher" else (1.0, 2.0)
    assert row.value({row.metric: good}) < row.value({row.metric: bad})
    assert metric.concerns({"nuts": "nuts", "advi": "advi-matched"}[row.kind])


def test_names_are_not_given_twice():
    assert len({(row.kind, row.name) for row in LOWER}) == len(LOWER)


@pytest.mark.parametrize("row", LOWER, ids=lambda row: f"{row.kind}-{row.name}")
def test_no_value_is_negative_or_made_up(row):
    assert row.value({}) is row.value({row.metric: None}) is None
    assert row.value({row.metric: math.nan}) is row.value({row.metric: math.inf}) is None
    assert row.value({row.metric: -1e-9}) == (None if row.inverse else 0.0)

from math import inf

import pytest

from gmixbench.report.numbers import quantity


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (3.38e-5, "s", "33.8 µs"),
        (0.00101, "s", "1.01 ms"),
        (343_200_000.0, "bytes", "343 MB"),
        (5230.0, "1/s", "5,230"),
        (None, "s", "–"),
        (inf, "s", "∞"),
    ],
)
def test_a_quantity_says_its_unit(value, unit, shown):
    assert quantity(value, unit) == shown

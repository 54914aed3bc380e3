"""How a change is written."""

import math

import pytest

from gmixbench.report.verdicts import band, change, size, value

CLOCK, GAP = "seconds_per_gradient", "gap"


@pytest.mark.parametrize(
    ("metric", "parts", "text"),
    [
        (CLOCK, (0.88, 0.85, 0.91), "−12 % [−15, −9]"),
        (CLOCK, (1.003, 0.991, 1.0142), "+0.3 % [−0.9, +1.4]"),
        (CLOCK, (1.143, 1.135, 1.15), "+14 % [+14, +15]"),
        (CLOCK, (1.03, 0.99, 1.07), "+3 % [−1, +7]"),
        (CLOCK, (0.99999, 0.999, 1.001), "+0.0 % [−0.1, +0.1]"),
        (CLOCK, (30.2, 29.1, 31.4), "×30.2 [29.1, 31.4]"),
        (CLOCK, (1 / 30, 0.03, 0.04), "×0.0333 [0.0300, 0.0400]"),
        (CLOCK, (1.14, 0.0, math.inf), "+14 % [no interval]"),
        (CLOCK, (30.0, 0.0, math.inf), "×30 [no interval]"),
        (GAP, (0.03, 0.0299, 0.0301), "+0.030 nats [+0.030, +0.030]"),
        (GAP, (-0.0004, -0.002, 0.001), "−0.0004 nats [−0.0020, +0.0010]"),
        (GAP, (0.1, -math.inf, math.inf), "+0.10 nats [no interval]"),
    ],
)
def test_change_has_a_sign_its_interval_and_no_needless_digit(metric, parts, text):
    assert change(metric, *parts) == text


def test_sizes_bands_and_values_have_their_unit():
    assert size(CLOCK, 1.13) == "+13 %"
    assert size(GAP, 0.0) == "+0.0 nats"
    assert (band(CLOCK, 0.02), band(GAP, 0.02)) == ("2 %", "0.02 nats")
    assert (value(CLOCK, 31e-6), value(GAP, -0.01)) == ("31 µs", "−0.01")

"""The floor is half of the interval of equal sides."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gmixbench.ruler.comparison.floor import floors
from gmixbench.ruler.comparison.judge import judge

Make = Callable[..., Any]


def test_it_grows_with_the_noise_and_falls_with_the_blocks(
    make_comparison: Make, pairs: Make
) -> None:
    def floor(blocks: int, noise: float) -> float:
        values = {"seconds_per_gradient": pairs(blocks, noise=noise)}
        (found,) = floors(judge(make_comparison(values, band=1e-6)))
        return found.change

    assert floor(41, 0.02) == pytest.approx(2 * floor(41, 0.01), rel=0.1)
    assert floor(63, 0.01) < 0.8 * floor(27, 0.01)


def test_a_change_beyond_it_is_seen_and_one_below_is_not(
    make_comparison: Make, pairs: Make
) -> None:
    equal = {"seconds_per_gradient": pairs(41)}
    (found,) = floors(judge(make_comparison(equal, band=1e-6)))
    for share, word in ((0.3, "inconclusive"), (2.0, "regressed")):
        values = {"seconds_per_gradient": pairs(41, 1 + share * found.change)}
        assert judge(make_comparison(values, band=1e-6)).findings[0].verdict == word


def test_too_few_blocks_tell_none(make_comparison: Make, pairs: Make) -> None:
    assert floors(judge(make_comparison({"seconds_per_gradient": pairs(11)}))) == ()


def test_what_repeats_has_none(make_comparison: Make, pairs: Make) -> None:
    clock, same = pairs(27), np.full((27, 2), 0.03)
    metrics = {"seconds_per_gradient": clock, "ess_per_gradient": same}
    assert [each.metric for each in floors(judge(make_comparison(metrics)))] == [
        "seconds_per_gradient"
    ]
    metrics["ess_per_gradient"] = pairs(27, level=0.03)
    assert len(floors(judge(make_comparison(metrics)))) == 2

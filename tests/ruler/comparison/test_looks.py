"""Looks are fixed beforehand, and their shares of the error add up to one."""

import math

from gmixbench.ruler.comparison.looks import FIRST, following, looks, share


def test_all_looks_together_spend_the_error_and_no_more() -> None:
    total = math.fsum(share(k) for k in range(100_000))
    assert 0.9999 < total < 1.0


def test_a_longer_comparison_looks_where_a_shorter_one_did() -> None:
    for blocks in range(200):
        assert looks(blocks) == [each for each in looks(1000) if each <= blocks]
        assert following(blocks) == next(each for each in looks(1000) if each > blocks)


def test_there_is_no_look_before_the_first() -> None:
    assert looks(FIRST - 1) == []
    assert looks(FIRST) == [FIRST]

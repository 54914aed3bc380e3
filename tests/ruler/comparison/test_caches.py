"""Blocks with empty caches: no more of them than the others have paid for."""

from dataclasses import replace
from itertools import islice

import pytest

from gmixbench.ruler.comparison.caches import COLD_SHARE, Costs, costs


def kinds(one, count):
    """Whether each of the blocks to come has empty caches, where the two kinds take `one`."""
    cold, warm = one
    return [
        seconds == cold for seconds in islice(Costs(cold, warm, 0.0, 0.0, False).ahead(), count)
    ]


@pytest.mark.parametrize("one", [(100.0, 16.0), (13.0, 9.0), (9.1, 9.0)])
def test_empty_caches_take_their_share_of_the_time_and_no_more(one):
    found = kinds(one, 400)
    assert not found[0]
    spent = cold = 0.0
    for empty in found:
        cold += one[0] * empty
        spent += one[not empty]
        assert cold <= COLD_SHARE * spent
    assert cold > 0.9 * COLD_SHARE * spent


def test_what_compiles_long_has_its_first_look_early():
    """PyMC before 6, of which a block with empty caches takes six times as long."""
    assert not any(kinds((100.0, 16.0), 13))
    assert kinds((100.0, 16.0), 20).count(True) == 1


def _timed(comparison, *seconds):
    """Its first blocks, each process of which took so long; of 60 s its caches were empty."""
    rows = (each for each in comparison.readings if each.block < len(seconds))
    told = ((each, seconds[each.block]) for each in rows)
    return replace(
        comparison,
        readings=tuple(replace(each, seconds=took, cold=took == 60.0) for each, took in told),
    )


def test_each_kind_costs_what_its_blocks_took(made_values, comparison_of):
    made = comparison_of({"ordered nuts": made_values({})})
    found = costs(_timed(made, 5.0, 7.0, 60.0))
    assert (found.cold, found.warm) == (2 * 60.0, 2 * 6.0)
    assert (found.spent_cold, found.spent) == (2 * 60.0, 2 * 72.0)
    assert not found.next_cold


def test_where_no_caches_are_kept_no_block_is_taken_for_cheaper(made_values, comparison_of):
    made = comparison_of({"ordered nuts": made_values({})})
    found = costs(_timed(made, 60.0, 60.0))
    assert found.warm == found.cold == 2 * 60.0


def test_every_block_is_cold_where_compiling_must_have_an_answer(made_values, comparison_of):
    made = replace(comparison_of({"ordered nuts": made_values({})}), metrics=("compile_s",))
    assert costs(_timed(made, 60.0)).next_cold
    assert not costs(replace(_timed(made, 60.0), metrics=("warmup_s",))).next_cold

"""Seconds that JAX compiles for."""

import jax
import pytest

from gmixbench.measured.backends import in_jax


def test_what_is_nested_counts_once_and_what_was_before_not_at_all(monkeypatch):
    spans = [(1.0, 4.0), (2.0, 3.0), (3.5, 5.0), (7.0, 8.0)]
    monkeypatch.setattr(in_jax, "_compiling", spans)
    assert in_jax.compiling_s(0.0) == pytest.approx(5.0)
    assert in_jax.compiling_s(3.0) == pytest.approx(3.0)
    assert in_jax.compiling_s(7.5) == pytest.approx(0.5)


def test_compiling_is_seen_and_calling_is_not():
    def seen():
        return len(in_jax.compilations), in_jax.compiling_s(0.0)

    function = jax.jit(lambda x: x * 3.25 + 1)
    before = seen()
    jax.block_until_ready(function(2.0))
    compiled = seen()
    assert compiled[0] == before[0] + 1
    assert compiled[1] > before[1]
    jax.block_until_ready(function(2.0))
    assert seen() == compiled

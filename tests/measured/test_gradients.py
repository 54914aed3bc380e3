"""Gradients that a backend tells are those that its sampler evaluated."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gmixbench.measured.backends import blackjax, load, numpyro
from gmixbench.measured.points import constrained

pytestmark = pytest.mark.slow


class Counted:
    """A log density that counts its evaluations, also within what is compiled."""

    def __init__(self, log_density):
        self.log_density, self.calls = log_density, 0

    def __call__(self, point):
        jax.debug.callback(self._note)
        return self.log_density(point)

    def _note(self):
        self.calls += 1


def by_blackjax(job, counted):
    return blackjax.sample(blackjax.Model(counted, 2), job)


def by_numpyro(job, counted):
    kernel = numpyro.Kernel(
        partial(numpyro.NUTS, potential_fn=lambda point: -counted(point)), jnp.asarray
    )
    as_parameters = partial(constrained, job.case.model)
    return numpyro.sequential(kernel, jnp.asarray(job.starts), as_parameters, job)


@pytest.mark.parametrize("sample", [by_blackjax, by_numpyro])
def test_told_gradients_are_those_evaluated(sample, make_job):
    # The warm-up of both is the same, and what a sampler does before its first draw.
    told, evaluated = [], []
    for draws in (50, 150):
        job = make_job("blackjax", warmup=100, draws=draws)
        counted = Counted(blackjax.build(job).log_density)
        measured = sample(job, counted)
        jax.effects_barrier()
        told.append(measured.counters.gradients_sample)
        evaluated.append(counted.calls)
    assert told[1] > told[0] + 100
    assert evaluated[1] - evaluated[0] == told[1] - told[0]
    # All of them: finding a first step size takes a few, the start one.
    beside = evaluated[0] - told[0] - measured.counters.gradients_warmup
    assert 0 < beside <= 60 * job.case.settings.chains


@pytest.mark.parametrize("name", ["pymc-jax", "nutpie-jax", "pymc-numpyro", "numpyro", "blackjax"])
def test_what_an_evaluator_gives_is_there_when_it_returns(name, make_job):
    job = make_job(name)
    backend = load(name)
    evaluate = backend.evaluator(backend.build(replace(job, x=np.tile(job.x, 20_000))))
    ready = []
    for _ in range(5):
        found = evaluate(job.starts[0])
        ready += [each.is_ready() for each in found if hasattr(each, "is_ready")]
    assert all(ready)
    assert ready

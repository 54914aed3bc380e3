"""PyMC3 in its own stacks: what its backend claims, and what its shims are for."""

import json
import math
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gmixbench.disk import read_record, write_job
from gmixbench.lab import environment, travel
from gmixbench.record import Failure, Job
from gmixbench.truth import density

pytestmark = pytest.mark.stacks

STACKS = ("pymc3-v3.5", "pymc3-v3.11.5")
"""The oldest, which is the seed's, and the newest."""

COMPILING = 1_000_000
"""Ticks of a compiled function; one of a gradient."""

PROBE = """
import json, logging, sys, time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pymc3 as pm
import theano

from gmixbench.measured.backends import pymc3 as backend
from gmixbench.disk import read_job

logging.getLogger("pymc3").setLevel(logging.ERROR)
nuts, advi = [read_job(Path(stem)) for stem in sys.argv[1:3]]
settings = nuts.case.settings
model = backend.build(nuts)

def counted(plain, results):
    def call(*args, **more):
        results.append(plain(*args, **more))
        return results[-1]

    return call

places = [(pm.model.ValueGradFunction, "__call__"), (theano, "function"), (pm, "sample")]
plain = [getattr(*place) for place in places]
calls, functions, traces = [], [], []
for place, results in zip(places, (calls, functions, traces)):
    setattr(*place, counted(getattr(*place), results))
measured = backend.sample(model, nuts)
count = len(calls)
backend.time = SimpleNamespace(perf_counter=lambda: len(calls) + COMPILING * len(functions))
few = replace(nuts, case=replace(nuts.case, settings=replace(settings, warmup=20, draws=10)))
ticked = backend.sample(model, few)
backend.time = time
for place, own in zip(places, plain):
    setattr(*place, own)

def gradients(run):
    return [run.counters.gradients_warmup, run.counters.gradients_sample]

def seconds(run):
    return [run.timing.compile_s, run.timing.warmup_s, run.timing.sample_s]

options = {"target_accept": settings.target_accept, "max_treedepth": settings.max_treedepth}
if pm.__version__ in ("3.5", "3.6"):
    options = {"nuts_kwargs": options}
with model:
    bare = pm.sample(
        settings.draws, tune=settings.warmup, chains=settings.chains, cores=1, init="adapt_diag",
        start=[{"means_ordered__": start} for start in nuts.starts], random_seed=nuts.case.seed,
        progressbar=False, compute_convergence_checks=False, **options
    )
found = backend.density(model, nuts.points)
said = {
    "measured": measured.result.means.tolist(),
    "bare": np.array(bare.get_values("means", combine=False)).tolist(),
    "calls": count,
    "gradients": gradients(measured),
    "seconds": seconds(measured),
    "ticked_gradients": gradients(ticked),
    "ticks": seconds(ticked),
    "values": found.values.tolist(),
    "slopes": found.gradients.tolist(),
    "sample_shims": measured.shims,
}
if "perf_counter_diff" in bare.stat_names:
    took = np.array(traces[0].get_sampler_stats("perf_counter_diff", combine=False))
    said["told"] = [float(np.sum(part)) for part in np.split(took, [settings.warmup], axis=1)]

fitted = backend.fit_advi(model, advi)
with model:
    untouched = pm.ADVI(start={"means_ordered__": advi.starts[0]})
    bare_fit = pm.fit(advi.case.settings.steps, random_seed=advi.case.seed, progressbar=False)
settings = replace(advi.case.settings, optimizer="library")
library = replace(advi, case=replace(advi.case, settings=settings))
said.update(
    scale=fitted.result.scale.tolist(),
    location=fitted.result.location.tolist(),
    fit_shims=fitted.shims,
    untouched=untouched.approx.std.eval().tolist(),
    trace=backend.fit_advi(model, library).result.trace.tolist(),
    bare_trace=bare_fit.hist.tolist(),
)
print(json.dumps(said))
""".replace("COMPILING", str(COMPILING))


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return travel.pack(tmp_path_factory.mktemp("travel") / "worker.pyz")


def variables(folder: Path, **more: str) -> dict[str, str]:
    """A worker's own, but Theano runs Python: compiling C would take a minute and more."""
    measured = environment.measured(folder)
    measured["THEANO_FLAGS"] += ",linker=py"
    return {**measured, "PYTHONPATH": "", **more}


@pytest.fixture(scope="module", params=STACKS)
def said(
    request: pytest.FixtureRequest,
    stack_python: Callable[[str], Path],
    make_job: Callable[..., Job],
    worker: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:
    """What one process in the stack found out."""
    folder = tmp_path_factory.mktemp("probe")
    nuts = make_job("pymc3", "ordered", draws=50, warmup=100)
    write_job(folder / "nuts", nuts)
    write_job(folder / "advi", make_job("pymc3", "ordered", "advi-matched", steps=20, draws=5))
    done = subprocess.run(
        [str(stack_python(request.param)), "-c", PROBE, str(folder / "nuts"), str(folder / "advi")],
        env=variables(folder, PYTHONPATH=str(worker)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(job=nuts, **json.loads(done.stdout.splitlines()[-1]))


def test_draws_are_those_of_a_bare_pm_sample(said: Any) -> None:
    np.testing.assert_array_equal(said.measured, said.bare)
    assert said.sample_shims == []


def test_gradients_are_counted_truthfully(said: Any) -> None:
    # Besides those of the draws there is one, when the sampler is made.
    assert said.calls == sum(said.gradients) + 1
    assert min(said.gradients) > 0


def test_phases_are_told_apart(said: Any) -> None:
    # By a clock that ticks with what is done, so that no other work on the machine has a say.
    compiling, *sampling = said.ticks
    assert sampling == said.ticked_gradients
    assert compiling % COMPILING == 1  # the gradient when the sampler is made
    assert compiling > COMPILING


def test_seconds_are_those_of_the_library_s_own_clock(said: Any) -> None:
    assert min(said.seconds) > 0
    if hasattr(said, "told"):  # from 3.9 on
        assert said.seconds[1:] == pytest.approx(said.told, rel=0.3)


def test_the_density_is_the_written_one(said: Any) -> None:
    model, points = said.job.case.model, said.job.points
    for found, exact in zip(
        (said.values, said.slopes), density.log_density(model, said.job.x, points), strict=True
    ):
        assert np.all(np.abs(found - exact) <= 1e-10 * np.maximum(1.0, np.abs(exact)))


def test_initial_scale_is_the_job_s_and_without_the_shim_log_2(said: Any) -> None:
    assert said.fit_shims == ["initial-scale"]
    np.testing.assert_allclose(said.scale, 0.1, rtol=0.05)  # 20 steps of at most 0.001
    np.testing.assert_allclose(said.untouched, math.log(2.0), rtol=1e-12)
    np.testing.assert_allclose(said.location, [-1.2, 0.9], atol=0.05)


def test_the_library_s_fit_is_a_bare_pm_fit(said: Any) -> None:
    np.testing.assert_array_equal(said.trace, said.bare_trace)


@pytest.mark.parametrize("stack", STACKS)
def test_a_missing_compiler_is_a_failure_that_says_so(
    stack: str,
    stack_python: Callable[[str], Path],
    make_job: Callable[..., Job],
    worker: Path,
    tmp_path: Path,
) -> None:
    write_job(tmp_path / "job", make_job("pymc3"))
    (tmp_path / "bin").mkdir()
    done = subprocess.run(
        [str(stack_python(stack)), str(worker), str(tmp_path / "job"), str(tmp_path / "record")],
        env={**variables(tmp_path), "PATH": os.fspath(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    failure = read_record(tmp_path / "record")
    assert isinstance(failure, Failure)
    assert "Theano needs a C++ compiler and found none" in failure.message

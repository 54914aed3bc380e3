"""nutpie on PyMC's model, its density compiled by Numba.

nutpie tells no times of a draw. But it calls back every millisecond with how many draws are there,
so the moment when a chain's warm-up ends is known to within one.
"""

import time
from dataclasses import replace
from itertools import cycle
from typing import Any, List, Sequence, Tuple, cast

import numpy as np
import nutpie

from gmixbench.measured.backends import pymc
from gmixbench.measured.points import drawn, joined
from gmixbench.record import Counters, Draws, Job, Measured, Timing
from gmixbench.spec import ENUMERATED, LOGSUMEXP, MIXTURE, NutsSettings

PACKAGES = ("nutpie", *pymc.PACKAGES)

LIKELIHOODS = (MIXTURE, LOGSUMEXP, ENUMERATED)

build = pymc.build
evaluator, density, *_ = pymc.in_mode("NUMBA")

CALLBACK_MS = 1

_sample = nutpie.sample  # as it is, where a route puts another in its place

NUMBA_START, JAX_START = "initial_point_func", "_make_initial_points"
"""Field of what nutpie compiles, by Numba or by JAX, that is called for the start of a chain."""

Seen = Tuple[float, Tuple[int, ...]]
"""When nutpie called back, and how many draws each chain had."""


def sample(model: Any, job: Job) -> Measured:
    """NUTS, one chain after another; the draws are those of a bare `nutpie.sample`."""
    begun = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    return draws(compiled, NUMBA_START, job, begun)


def draws(compiled: Any, start: str, job: Job, begun: float, **options: Any) -> Measured:
    """What nutpie draws from a compiled model, with the settings of a job.

    Parameters
    ----------
    start : field of the compiled model that is called for the start of each chain in turn
    begun : when compiling it began
    options : of `nutpie.sample`, beside those that the job has
    """
    settings = cast(NutsSettings, job.case.settings)
    return watched(
        compiled,
        start,
        job,
        begun,
        draws=settings.draws,
        tune=settings.warmup,
        chains=settings.chains,
        seed=job.case.seed,
        target_accept=settings.target_accept,
        maxdepth=settings.max_treedepth,
        progress_bar=False,
        **options,
    )[0]


def watched(
    compiled: Any, start: str, job: Job, begun: float, **options: Any
) -> Tuple[Measured, Any]:
    """Call `nutpie.sample` with options on one core, from the job's starts, and watch it.

    Returns
    -------
    (measured, what `nutpie.sample` gave)
    """
    settings = cast(NutsSettings, job.case.settings)
    seen: List[Seen] = []

    def note(chains: Sequence[Any]) -> None:
        seen.append((time.perf_counter(), tuple(chain.finished_draws for chain in chains)))

    # What JAX compiles on its first call would else fall into the first chain's warm-up.
    _sample(compiled, draws=1, tune=10, chains=1, cores=1, seed=0, progress_bar=False)
    ready = time.perf_counter()
    in_turn = cycle(np.array(each) for each in job.starts)
    started = replace(compiled, **{start: lambda _seed: next(in_turn)})
    watching = {"cores": 1, "progress_callback": note, "progress_rate": CALLBACK_MS}
    found = _sample(started, **dict(options, **watching))
    warm, done = spans(seen, ready, settings)
    statistics, warmup = found["sample_stats"], found["warmup_sample_stats"]
    gradients = statistics["n_steps"].values.astype(int)
    measured = Measured(
        Draws(
            **drawn(joined(found["posterior"])),
            energy=statistics["energy"].values,
            diverging=statistics["diverging"].values.astype(bool),
            at_max_treedepth=statistics["maxdepth_reached"].values.astype(bool),
            gradients=gradients,
            seconds=done,
        ),
        Timing(compile_s=ready - begun, warmup_s=float(np.sum(warm)), sample_s=float(np.sum(done))),
        Counters(
            gradients_warmup=int(np.sum(warmup["n_steps"].values)),
            gradients_sample=int(np.sum(gradients)),
        ),
    )
    return measured, found


def spans(seen: Sequence[Seen], ready: float, settings: NutsSettings) -> Tuple[Any, Any]:
    """Seconds of each chain's warm-up, and of its sampling; both have shape (chains,).

    A chain begins where the one before it ends.
    """
    times = np.array([ready, *(moment for moment, _ in seen)])
    counts = np.array([[0] * settings.chains, *(finished for _, finished in seen)])
    whole = settings.warmup + settings.draws
    ends = np.array([_when(times, column, whole) for column in counts.T])
    tuned = np.array([_when(times, column, settings.warmup) for column in counts.T])
    begins = np.array([ready, *ends[:-1]])
    return tuned - begins, ends - tuned


def _when(times: np.ndarray, counts: np.ndarray, wanted: int) -> float:
    """When so many draws were there, on a line between the callbacks before and after."""
    if counts[-1] < wanted:
        raise ValueError("nutpie last called back at {} of {} draws".format(counts[-1], wanted))
    after = int(np.argmax(counts >= wanted))
    share = (wanted - counts[after - 1]) / (counts[after] - counts[after - 1])
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def fit_advi(model: Any, job: Job) -> Measured:
    """There is none."""
    raise NotImplementedError("nutpie has no ADVI: --method nuts")

"""What backends written in JAX share: densities that are compiled, and chains in a row.

Warm-up and sampling are each traced whole under `jax.jit`, lowered, compiled, and only then called,
so no phase holds a compilation.
"""

import time
from dataclasses import replace
from typing import Any, Callable, Dict, List, Sequence, Tuple

import jax
import numpy as np

from gmixbench.measured.points import drawn
from gmixbench.record import Counters, Draws, Measured, Timing

ROUNDS, ROUND_S = 9, 0.05
"""Of the bare gradient: how many rounds are timed, and seconds that bound the length of one."""

SMALL = 1e-12

compilations: List[str] = []
"""An entry for each compilation by XLA in this process."""


_compiling: List[Tuple[float, float]] = []
"""Begin and end of whatever JAX did in order to compile: tracing, lowering, XLA; some nested."""


def _note_compilation(event: str, duration: float, **_: Any) -> None:
    if event.startswith("/jax/core/compile/"):
        now = time.perf_counter()
        _compiling.append((now - duration, now))
    if event.endswith("backend_compile_duration"):
        compilations.append(event)


jax.monitoring.register_event_duration_secs_listener(_note_compilation)


def compiling_s(since: float) -> float:
    """Seconds that JAX spent on compiling since then, what is nested in another counted once."""
    seconds, reached = 0.0, since
    for began, ended in sorted(_compiling):
        seconds += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return seconds


def evaluator(
    log_density: Callable[[Any], Any], size: int
) -> Callable[[np.ndarray], Tuple[Any, Any]]:
    """Value and gradient of a log density at a point of that size, compiled already."""
    compiled = jax.jit(jax.value_and_grad(log_density))

    def evaluate(point: np.ndarray) -> Tuple[Any, Any]:
        value, gradient = jax.block_until_ready(compiled(point))
        return value, gradient

    evaluate(np.zeros(size))
    return evaluate


def bare_gradient(log_density: Callable[[Any], Any], point: np.ndarray) -> float:
    """Seconds of a value and gradient in a compiled loop that does nothing else.

    Each is taken where the one before it leads, a step too small to matter, so that the compiler
    can neither leave one out nor do two at once. The median of `ROUNDS` rounds.
    """
    value_and_gradient = jax.value_and_grad(log_density)

    def step(_: Any, held: Any) -> Any:
        place, total = held
        value, gradient = value_and_gradient(place)
        return place + SMALL * gradient, total + value

    def loop(place: Any, calls: Any) -> Any:
        return jax.lax.fori_loop(0, calls, step, (place, 0.0))

    compiled = jax.jit(loop)

    def seconds(calls: int) -> float:
        begun = time.perf_counter()
        jax.block_until_ready(compiled(point, calls))
        return time.perf_counter() - begun

    seconds(1)  # compiles
    calls = max(1, int(ROUND_S / seconds(1)))
    return float(np.median([seconds(calls) / calls for _ in range(ROUNDS)]))


def sequential(
    warm_up: Callable[[Any, Any], Tuple[Any, Any]],
    draw: Callable[[Any], Tuple[Any, Any]],
    chains: Sequence[Tuple[Any, Any]],
    as_parameters: Callable[[Any], np.ndarray],
    max_treedepth: int,
) -> Measured:
    """Draws of all chains, one chain after another.

    Parameters
    ----------
    warm_up : of a key and a start, gives a state and the gradient evaluations of each draw
    draw : of a state, gives the positions of all draws, and their statistics by the names that
        NumPyro has for them: `num_steps`, `energy`, `diverging`; and `gradients`, where a draw
        evaluates others than one in each step
    chains : key and start of each
    as_parameters : of positions of all chains gives the parameters, shape (chains, draws, d)
    """
    before = len(compilations)
    warm_up_compiled, draw_compiled, compile_s = _compiled(warm_up, draw, *chains[0])
    warmup_s = 0.0
    seconds = []
    gradients_warmup = 0
    told = []
    for key, start in chains:
        begun = time.perf_counter()
        state, steps = jax.block_until_ready(warm_up_compiled(key, start))
        warm = time.perf_counter()
        positions, statistics = jax.block_until_ready(draw_compiled(state))
        done = time.perf_counter()
        warmup_s += warm - begun
        seconds.append(done - warm)
        gradients_warmup += int(np.sum(steps))
        told.append(dict(statistics, positions=positions))
    arrays = jax.tree_util.tree_map(lambda *parts: np.stack(parts), *told)
    draws = _draws(arrays, as_parameters, max_treedepth)
    return Measured(
        replace(draws, seconds=np.array(seconds)),
        Timing(compile_s=compile_s, warmup_s=warmup_s, sample_s=sum(seconds)),
        Counters(
            gradients_warmup=gradients_warmup,
            gradients_sample=int(np.sum(_gradients(arrays))),
            compilations=len(compilations) - before,
        ),
    )


def at_once(
    warm_up: Callable[[Any, Any], Tuple[Any, Any]],
    draw: Callable[[Any], Tuple[Any, Any]],
    keys: Any,
    starts: Any,
    as_parameters: Callable[[Any], np.ndarray],
    max_treedepth: int,
) -> Measured:
    """Draws of all chains at the same time; arrays have the axis of the chains first.

    What each chain takes is not told: none has the clock to itself.
    """
    before = len(compilations)
    begun = time.perf_counter()
    warm_up_compiled = jax.jit(warm_up).lower(keys, starts).compile()
    compiled = time.perf_counter()
    state, steps = jax.block_until_ready(warm_up_compiled(keys, starts))
    warm = time.perf_counter()
    # Where each chain has a device, sampling is compiled for a state that lies there.
    draw_compiled = jax.jit(draw).lower(state).compile()
    ready = time.perf_counter()
    positions, statistics = jax.block_until_ready(draw_compiled(state))
    done = time.perf_counter()
    arrays = jax.tree_util.tree_map(np.asarray, dict(statistics, positions=positions))
    return Measured(
        _draws(arrays, as_parameters, max_treedepth),
        Timing(
            compile_s=compiled - begun + ready - warm,
            warmup_s=warm - compiled,
            sample_s=done - ready,
        ),
        Counters(
            gradients_warmup=int(np.sum(steps)),
            gradients_sample=int(np.sum(_gradients(arrays))),
            compilations=len(compilations) - before,
            at_once=len(arrays["num_steps"]),
        ),
    )


def _compiled(warm_up: Any, draw: Any, key: Any, start: Any) -> Tuple[Any, Any, float]:
    """Both functions, and the seconds that compiling them took."""
    begun = time.perf_counter()
    jitted = jax.jit(warm_up)
    state_shape, _ = jax.eval_shape(jitted, key, start)
    warm_up_compiled = jitted.lower(key, start).compile()
    draw_compiled = jax.jit(draw).lower(state_shape).compile()
    return warm_up_compiled, draw_compiled, time.perf_counter() - begun


def _gradients(arrays: Dict[str, np.ndarray]) -> np.ndarray:
    return arrays.get("gradients", arrays["num_steps"])


def _draws(
    arrays: Dict[str, np.ndarray],
    as_parameters: Callable[[Any], np.ndarray],
    max_treedepth: int,
) -> Draws:
    return Draws(
        **drawn(as_parameters(arrays["positions"])),
        energy=arrays["energy"],
        diverging=arrays["diverging"],
        # A tree of full depth has this many leapfrog steps.
        at_max_treedepth=arrays["num_steps"] >= 2**max_treedepth - 1,
        gradients=_gradients(arrays),
    )

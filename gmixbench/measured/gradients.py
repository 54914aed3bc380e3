"""Gradient calls: what a call of a backend's evaluator takes, from NumPy, and its memory."""

import math
import time
from pathlib import Path
from typing import Any, Callable, Optional, Tuple

import numpy as np

_PEAK, _NOW = "VmHWM:", "VmRSS:"


def timed(
    evaluate: Callable[[np.ndarray], Any], point: np.ndarray, settings: Any
) -> Tuple[np.ndarray, np.ndarray]:
    """Wall clock and CPU seconds of one call, each of shape (rounds,).

    Parameters
    ----------
    evaluate : compiled already, and called once
    settings : `GradientSettings`; a round has as many calls as take `round_s`, judged by the first
    """
    begun = time.perf_counter()
    evaluate(point)
    first = time.perf_counter() - begun
    calls = max(1, math.ceil(settings.round_s / max(first, 1e-7)))
    wall, cpu = [], []
    for _ in range(settings.rounds):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        for _ in range(calls):
            evaluate(point)
        wall.append((time.perf_counter() - begun) / calls)
        cpu.append((time.process_time() - begun_cpu) / calls)
    return np.array(wall), np.array(cpu)


def resident() -> Optional[int]:
    """Bytes that this process holds in memory; `None` where the system does not tell."""
    return _status(_NOW)


def high_water_mark() -> Optional[int]:
    """Most bytes that this process held; `None` where the system does not tell.

    Linux tells it for a started process alone: `ru_maxrss` includes the one that started it.
    """
    return _status(_PEAK)


def forget_peak() -> bool:
    """Let the high-water mark begin anew; false where the system can't (Linux can)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> Optional[int]:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith(name)]
    return kibibytes[0] * 1024 if kibibytes else None

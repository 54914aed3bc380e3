"""What makes a machine noisy, as far as it tells."""

import os
from collections.abc import Iterator
from pathlib import Path

BUSY = 0.5
"""Load beside one process of ours above which another one is in its way."""

STOLEN = 0.02
"""Share of time that a hypervisor gave to others above which it is told."""


def advice(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> Iterator[str]:
    """What could be done about noise, a line each; nothing where nothing is known to be wrong.

    Parameters
    ----------
    proc, sys : where Linux tells of itself
    """
    load = _numbers(proc / "loadavg")
    cores = os.cpu_count() or 1
    if load and load[0] > BUSY:
        yield f"the load is {load[0]:.1f} on {cores} cores: stop what else runs"
    governors = {
        path.read_text().strip()
        for path in sys.glob("devices/system/cpu/cpu*/cpufreq/scaling_governor")
    }
    if governors - {"performance"}:
        told = ", ".join(sorted(governors))
        yield f"the clock's governor is {told}: `cpupower frequency-set -g performance` holds it"
    counts = sys.glob("devices/system/cpu/cpu*/thermal_throttle/core_throttle_count")
    throttled = sum(int(path.read_text()) for path in counts)
    if throttled:
        yield f"cores were slowed for heat {throttled} times since the start: cool it"
    stolen = _stolen(proc / "stat")
    if stolen > STOLEN:
        yield (
            f"a virtual machine, whose host gave {100 * stolen:.0f} % of the time to others since "
            "the start: take a machine of your own, or another hour"
        )


def _stolen(path: Path) -> float:
    # user nice system idle iowait irq softirq steal
    spent = _numbers(path)[:8]
    total = sum(spent)
    return spent[7] / total if len(spent) == 8 and total else 0.0


def _numbers(path: Path) -> list[float]:
    try:
        words = path.read_text().split("\n", 1)[0].split()
    except OSError:
        return []
    return [float(word) for word in words if word.replace(".", "", 1).isdigit()]

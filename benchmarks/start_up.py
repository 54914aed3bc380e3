"""How long `gmixbench --help`, `--version` and `list` take to answer: below half a second each.

Run: python benchmarks/start_up.py [REPETITIONS]
"""

import statistics
import subprocess
import sys
import time

LIMIT = 0.5
"""Seconds."""


def seconds(option: str) -> float:
    """Wall clock of one call in a fresh process."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "gmixbench.cli", option]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main(repetitions: int) -> int:
    """Print the median and the range of each; 1 where a median is beyond the limit."""
    medians = []
    print(f"{'':>10} {'median':>7} {'least':>7} {'most':>7}  seconds, {repetitions} calls")
    for option in ("--help", "--version", "list"):
        seconds(option)  # from a warm disk cache
        took = [seconds(option) for _ in range(repetitions)]
        medians.append(statistics.median(took))
        print(f"{option:>10} {medians[-1]:7.3f} {min(took):7.3f} {max(took):7.3f}")
    return int(max(medians) > LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))

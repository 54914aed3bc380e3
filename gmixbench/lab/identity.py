"""Which machine this is, in a digest that tells nothing else of it.

Timings are evidence between runs of one machine. A cloud has thousands of one processor, core count
and system, so none of these tells which.
"""

import hmac
import os
import uuid
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
"""Made when a system is installed, and confidential: machine-id(5) asks for a keyed hash of it."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Made by the kernel when it starts, and seen through a container's walls."""

CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Docker and Podman put these into their containers."""

HIRED = ("CI", "KUBERNETES_SERVICE_HOST")
"""Environment variables set where machines come and go with the job."""


def identity() -> str | None:
    """Digest that is the same on the same machine; `None` where nothing tells it from others."""
    # A container, or a machine hired for a job, has its /etc/machine-id from an image that many
    # share. There the boot is what is told: two containers of one host are one machine, two hosts
    # are two, and so is one before and after it started anew, which errs on the safe side.
    known = _text(BOOT_ID if _from_an_image() else MACHINE_ID) or _hardware()
    if known is None:
        return None
    return hmac.new(known.encode(), b"gmixbench", "sha256").hexdigest()[:16]


def _from_an_image() -> bool:
    return any(map(os.environ.get, HIRED)) or any(path.exists() for path in CONTAINERS)


def _text(path: Path) -> str | None:
    try:
        text = path.read_text("ascii").strip().replace("-", "")
    except (OSError, ValueError):
        return None
    return text if len(text) == 32 else None  # "uninitialized", until a system has started once


def _hardware() -> str | None:
    # macOS and Windows. Where there is no address Python makes one up, and sets its multicast bit.
    address = uuid.getnode()
    return None if address >> 40 & 1 else f"{address:012x}"

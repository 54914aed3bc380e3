"""The measured side in one file, for the interpreters of old stacks.

A stack holds NumPy and the library that is measured, not gmixbench. So the worker and all it
imports of ours goes there as a zip file that Python runs.
"""

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import gmixbench
from gmixbench.disk import write_bytes
from gmixbench.lab.execute import Worker

MAIN = b"""\
import sys

from gmixbench.measured.worker import main

sys.exit(main(sys.argv[1:]))
"""

CARRIED = ("__init__.py", "spec.py", "record.py", "disk.py", "measured/**/*.py")
"""What travels, under the package's folder."""

WITHHELD = ("PYTHONPATH", "PYTHONHOME")
"""Variables that would put something else in the place of what is locked."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can tell."""


def pack(target: Path) -> Path:
    """Write the measured side to `target`, to be run by `PYTHON target JOB_STEM RECORD_STEM`.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full.
    """
    write_bytes(target, packed())
    return target


def worker(python: Path, program: Path, caches: Path | None = None) -> Worker:
    """How the interpreter of a stack runs what was packed."""
    return Worker((str(python), str(program)), caches, WITHHELD)


def digest() -> str:
    """SHA-256 of the measured side: what another one measured is another measurement."""
    return sha256(packed()).hexdigest()


def packed() -> bytes:
    """Bytes of the zip file; the same sources give the same bytes."""
    package = Path(gmixbench.__file__).parent
    sources = {path for pattern in CARRIED for path in package.glob(pattern)}
    files = {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sources}
    content = io.BytesIO()
    # Not compressed: it is small, and the bytes would depend on the version of zlib.
    with zipfile.ZipFile(content, "w") as archive:
        for name, source in sorted({**files, "__main__.py": MAIN}.items()):
            archive.writestr(_entry(name), source)
    return content.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # Unix, wherever it is written
    entry.external_attr = 0o644 << 16
    return entry

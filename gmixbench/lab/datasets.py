"""Data sets: the three in the package, and a user's own one-column CSV."""

from importlib.resources import files
from pathlib import Path

import numpy as np

from gmixbench.spec import DATASETS, Dataset

LEAST = 2
"""Observations below which there is no mixture to fit."""


class DataError(ValueError):
    """A data file that can't be used; the message says what is wrong, where, and what to do."""


def load(name: str) -> Dataset:
    """Data set of the package by name.

    Raises
    ------
    DataError
        There is none of that name.
    """
    if name not in DATASETS:
        raise DataError(f"unknown dataset {name!r}: choose from {', '.join(DATASETS)}")
    source = files("gmixbench") / "datasets" / f"{name}.csv"
    return Dataset(name, _parse(source.read_text(encoding="utf-8"), f"{name}.csv"))


def read(path: Path) -> Dataset:
    """Observations from a CSV of one column; a first line of words is its heading.

    Raises
    ------
    DataError
        The file can't be read, or a line is not one finite number, or there are too few.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Excel begins its files with a mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise DataError(f"{path}: {reason}; give a CSV with one column of numbers") from error
    return Dataset(path.stem, _parse(text, str(path)))


def _parse(text: str, where: str) -> np.ndarray:
    lines = text.replace('"', "").splitlines()  # R and Excel put words, or all, in quotes
    heading = 1 if lines and _is_heading(lines[0]) else 0
    body = lines[heading:]
    while body and not body[-1].strip():
        body.pop()
    try:
        x = np.array(body, dtype=float)
    except ValueError:
        x = np.array([_number(line, where, k) for k, line in enumerate(body, heading + 1)])
    if not np.all(np.isfinite(x)):
        line = int(np.argmin(np.isfinite(x)))
        raise DataError(
            f"{where}, line {heading + line + 1}: {body[line].strip()} is not finite; remove it"
        )
    if len(x) < LEAST:
        raise DataError(f"{where}: {len(x)} observations; a mixture of two needs at least {LEAST}")
    return x


def _is_heading(line: str) -> bool:
    # What begins like a number is a mistyped number or several, not a heading.
    return line.strip()[:1] not in "+-.0123456789" and not _is_number(line)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(line: str, where: str, count: int) -> float:
    if _is_number(line):
        return float(line)
    text = line.strip()
    if not text:
        reason = "the line is empty; remove it"
    elif any(mark in text for mark in ",;\t") or all(map(_is_number, text.split())):
        reason = f"{text[:40]!r} is more than one column, or has a decimal comma; keep one number"
    else:
        reason = f"{text[:40]!r} is not a number; one number a line is wanted"
    raise DataError(f"{where}, line {count}: {reason}")

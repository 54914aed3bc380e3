"""What pages are made with: Jinja's templates, pictures inside the page, and their captions."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from gmixbench.disk import write_bytes
from gmixbench.report import style
from gmixbench.ruler.metrics import Metric


@dataclass(frozen=True)
class Caption:
    """What a figure asks, how it is read, and what it answers, by name."""

    question: str
    guide: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Image:
    """A figure in the page."""

    name: str
    src: str
    alt: str
    caption: Caption


def template(name: str) -> Template:
    """A page of `templates/`; what it names must be given, and text is escaped."""
    environment = Environment(
        loader=PackageLoader("gmixbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def drawn(out: Path, stem: str, drawing: Figure) -> str:
    """Address of a figure, inside the page; it is left beside it too, as `figures/STEM.png`.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full.
    """
    content = style.png(drawing)
    write_bytes(out / "figures" / f"{stem}.png", content)
    return embedded(content)


def embedded(png: bytes) -> str:
    """Address that holds a picture itself, so that the page is one file."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def slug(text: str) -> str:
    """Text as part of an address and of a file's name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text)


def notes(metric: Metric) -> str:
    """Unit and direction, as they stand behind a definition."""
    better = f"{metric.better} is better" if metric.better else ""
    told = [note for note in (metric.unit if metric.unit != "1" else "", better) if note]
    return f"({', '.join(told)})" if told else ""

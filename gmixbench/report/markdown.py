"""What pages of Markdown are made with: rows of a table, and text that stays text."""

import html
from collections.abc import Sequence


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return "| " + " | ".join(text(cell).replace("|", "\\|") for cell in cells) + " |"


def text(some: str) -> str:
    """Text as it is: what a library said is anyone's: no line break, no markup, nobody's name."""
    plain = html.escape(" ".join(some.split()), quote=False).replace("@", "@\u200b")
    for mark in ("\\", "`", "*", "~", "](", "!["):
        plain = plain.replace(mark, f"\\{mark}")
    return plain

"""How tables look in a terminal."""

from rich.table import Table


def plain(title: str) -> Table:
    """Empty table without lines; the title is escaped by whom it is from."""
    return Table(
        title=title, title_justify="left", box=None, header_style="bold", pad_edge=False,
        collapse_padding=True,
    )  # fmt: skip

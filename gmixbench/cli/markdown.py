"""Where a verdict in Markdown goes."""

import os
from pathlib import Path


def write_markdown(text: str, path: Path | None) -> None:
    """Write a verdict to a file, or else to the summary of GitHub's job, if this is one.

    Raises
    ------
    OSError
        It can't be written.
    """
    from gmixbench.disk import write_bytes

    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if path is not None:
        write_bytes(path, text.encode())
    elif summary:
        with Path(summary).open("a", encoding="utf-8") as file:  # other steps wrote there before
            file.write(text)

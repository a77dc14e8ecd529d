"""A report that a person would show to someone: one HTML file of one or several runs.

`write` is what `hil report` does; what the page holds and where each number comes
from is in docs/report.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGE = "report.html"


def write(folders: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Write the report of run folders, or of a demo's folder, and return its path.

    `out` is `report.html` by default: in the folder, or where there are several in
    the current one. Raises `UsageError` for a folder that is none of a run, a file
    that cannot be written, and for a figure that does not say how it was
    obtained.
    """
    from hil.reports import page, runs

    return page.write(page.compose(runs.load(folders)), place(folders, out))


def place(folders: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Where the page of these folders goes."""
    if out is not None:
        return Path(out)
    return Path(folders[0]) / PAGE if len(folders) == 1 else Path(PAGE)

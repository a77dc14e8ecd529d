"""What lies at a path, as the arrays of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.data import arrays
from hil.data.arrays import Arrays

EXPECTED = "an .npz file, or a folder with x.npy and y.npy"
"""What a path may lead to, for people."""


@contextmanager
def opened(path: Path) -> Iterator[Arrays]:
    """The arrays at `path`, read as they are asked for. Raises `DataError`."""
    if path.is_dir():
        yield arrays.Folder(path)
        return
    with arrays.opened(path, "data file") as found:
        yield found

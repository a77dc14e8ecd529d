"""What lies at a path, as the arrays of a data set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil import house
from hil.data import arrays, libsvm, table, window_files
from hil.data.arrays import Arrays

EXPECTED = (
    "an .npz, .csv, .tsv or .libsvm file, of a folder with x.npy and y.npy, or of one with "
    "a folder of .csv windows a class"
)
"""What a path may lead to, for people."""
_COLUMN = re.compile(rf"(.+(?:{'|'.join(map(re.escape, table.SUFFIXES))})):(.+)", re.I)


def parted(source: str) -> tuple[Path, str | None]:
    """The path, and the column of the labels behind a colon: "iris.csv:species"."""
    found = _COLUMN.fullmatch(source)
    if found is None or Path(source).exists():
        return house.found(Path(source)), None
    return house.found(Path(found[1])), found[2]


def absolute(source: str) -> str:
    """The same, also for who is in another folder."""
    path, column = parted(source)
    return str(path.resolve()) if column is None else f"{path.resolve()}:{column}"


def is_path(source: str) -> bool:
    """Whether a data set's name says where it lies."""
    path = parted(source)[0]
    known = (".npz", *table.SUFFIXES, *libsvm.SUFFIXES)
    return path.suffix.lower() in known or path.exists()


@contextmanager
def opened(source: str) -> Iterator[Arrays]:
    """The arrays that lie there, read as they are asked for. Raises `DataError`."""
    path, column = parted(source)
    suffix = path.suffix.lower()
    if path.is_dir() and window_files.is_one(path):
        yield window_files.read(path)
    elif path.is_dir():
        yield arrays.Folder(path)
    elif suffix in table.SUFFIXES:
        yield table.read(path, column)
    elif suffix in libsvm.SUFFIXES:
        yield libsvm.read(path)
    else:
        with arrays.opened(path, "data file") as found:
            yield found

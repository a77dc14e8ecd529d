"""A folder of windows, one table each: what a sensor's readings are exported as.

The class of a window is the name of the folder that it lies in, or stands in an index
(`labels.csv`), or is the first word of its name, as in `walk.01.csv`. Folders `train` and
`test` (or `training` and `testing`) are the two parts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.data import arrays, table
from hil.data.arrays import Given
from hil.errors import DataError

TRAIN, TEST = ("train", "training"), ("test", "testing")
INDEX = ("labels", "index")
"""Names of the table that says of each file its label."""
FILES = ("file", "filename", "file_name", "path", "name")
"""Names of its column with the files; that of the labels is as in any table."""
MOST = 100_000
"""Files at most."""
DEEPEST = 4
"""Folders within each other that are looked into."""
HINT = (
    "a class is a folder of .csv files, or a labels.csv has columns file and label, or a "
    "file is called LABEL.NAME.csv (docs/data.md)"
)


@dataclass(frozen=True)
class _File:
    """One window, and what it is."""

    path: Path
    label: str


def is_one(folder: Path) -> bool:
    """Whether there are tables below a folder, and no arrays in it."""
    return not any(folder.glob("*" + arrays.SUFFIX)) and any(_tables(folder))


def read(folder: Path) -> Given:
    """The windows below a folder, x [n, rows, columns] and labels y [n], in the order of
    the index, or of their names. Raises `DataError`, naming the file."""
    origin = f"data folder {str(folder)!r}"
    parts = _parts(folder, origin)
    made: dict[str, np.ndarray] = {}
    said, first = "", None
    for suffix, part in parts.items():
        files = _files(part, origin)
        reader = _Windows(files, first)
        made |= {f"x{suffix}": reader.values(), f"y{suffix}": _labels(files)}
        first, said = reader.first, said or reader.said
    assert first is not None
    return Given(origin, _alike(made), (said,), first.elements)


def _parts(folder: Path, origin: str) -> dict[str, Path]:
    """What the names of a part's arrays end in, and where it lies."""
    inner = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    train, test = (
        [p for p in inner if p.name.lower() in names] for names in (TRAIN, TEST)
    )
    others = [p.name for p in inner if p not in (*train, *test)]
    if train and test and others:
        raise DataError(
            f"{origin} has folders {train[0].name}, {test[0].name} and {others[0]}: "
            "expected the two parts alone, or a folder a class",
            HINT,
        )
    if others or not train:
        return {"": folder}
    return {"": train[0], **({"_test": test[0]} if test else {})}


def _tables(folder: Path) -> Iterator[Path]:
    """Tables below a folder, hidden ones aside. Raises `DataError` for too many files."""
    seen = 0
    for place, folders, files in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts)
        near = (name for name in folders if deep < DEEPEST and not name.startswith("."))
        folders[:] = sorted(near)
        for name in sorted(files):
            seen += 1
            path = Path(place, name)
            if path.suffix.lower() in table.SUFFIXES and not name.startswith("."):
                yield path
        if seen > MOST:
            raise DataError(
                f"data folder {str(folder)!r} has more than {MOST:,} files: expected fewer"
            )


def _files(part: Path, origin: str) -> list[_File]:
    """The windows of a part. Raises `DataError` where a label is missing."""
    found = [*_tables(part)]
    indexes = [p for p in found if p.parent == part and p.stem.lower() in INDEX]
    if len(indexes) == 1:
        return _indexed(part, indexes[0])
    if not found:
        raise DataError(f"{origin} has no .csv file in {part.name!r}", HINT)
    return [_File(path, _label(path, part)) for path in found]


def _label(path: Path, part: Path) -> str:
    """The folder that a file lies in, or the first word of its name."""
    inner = path.relative_to(part).parts
    label, dot, _ = path.stem.partition(".")
    if len(inner) > 1:
        return inner[0]
    if not dot or not label:
        raise DataError(f"data file {str(path)!r} has no label: expected a class", HINT)
    return label


def _indexed(part: Path, index: Path) -> list[_File]:
    """The files that an index names, in its order."""
    origin = f"data file {str(index)!r}"
    rows = table.texts(index)
    _, names = next(rows)
    lower = [name.lower() for name in names]
    places = [
        [place for place, name in enumerate(lower) if name in known]
        for known in (FILES, table.LABELS)
    ]
    if any(len(found) != 1 for found in places):
        raise DataError(
            f"{origin} has columns {', '.join(map(repr, names))}: expected one of "
            f"{', '.join(FILES)} and one of {', '.join(table.LABELS)}",
            HINT,
        )
    (file,), (label,) = places
    files = []
    for line, cells in rows:
        if len(cells) != len(names) or not cells[label]:
            raise DataError(f"{origin}: line {line} has no file and label", HINT)
        path = (part / cells[file]).resolve()
        if part.resolve() not in path.parents:
            raise DataError(
                f"{origin}: line {line} names {cells[file]!r}: expected a file below "
                f"{str(part)!r}"
            )
        files.append(_File(path, cells[label]))
    if not files:
        raise DataError(f"{origin} names no file", HINT)
    return files


def _labels(files: list[_File]) -> np.ndarray:
    """Labels as texts, or as integers where all are."""
    labels = [file.label for file in files]
    if all(
        label.isascii() and label.isdecimal() and len(label) < 10 for label in labels
    ):
        return np.array(labels).astype(np.int64)
    return np.array(labels)


def _alike(made: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Both parts of one type: labels that are numbers in one part alone are texts, and
    whole readings of one part alone are floats."""
    for name in ("x", "y"):
        parts = [key for key in (name, f"{name}_test") if key in made]
        if len({made[key].dtype.kind for key in parts}) > 1:
            to = np.float64 if name == "x" else np.str_
            made |= {key: made[key].astype(to) for key in parts}
    return made


class _Windows:
    """The windows of a part; all are like the first of all."""

    def __init__(self, files: list[_File], first: table.Readings | None) -> None:
        self.first = first or table.readings(files[0].path)
        self._files, self._of = files, files[0].path
        size = self.first.values.size
        if size * 8 * len(files) > arrays.MOST:
            raise DataError(
                f"data file {str(self._of)!r} is one of {len(files):,} windows of {size:,} "
                f"numbers: expected {arrays.MOST:,} bytes of float64 at most"
            )

    def values(self) -> np.ndarray:
        """All of them, [n, rows, columns]."""
        return np.stack([self._values(file.path) for file in self._files])

    def _values(self, path: Path) -> np.ndarray:
        found, first = table.readings(path), self.first
        if found.names != first.names:
            raise DataError(
                f"data file {str(path)!r} has columns {', '.join(found.names)}: expected "
                f"{', '.join(first.names)}, as {str(self._of)!r} has"
            )
        if found.values.shape != first.values.shape:
            (rows, columns), there = first.values.shape, len(found.values)
            raise DataError(
                f"data file {str(path)!r} has {there:,} rows: expected {rows:,}, as "
                f"{str(self._of)!r} has, for a file is one window",
                f"w = r[: len(r) // {rows} * {rows}].reshape(-1, {rows}, {columns}) cuts a "
                "recording r into windows (docs/data.md)",
            )
        return found.values

    @property
    def said(self) -> str:
        """What the files were taken for."""
        rows, first = self.first.values.shape[0], self.first
        left = f", {first.left_out!r} left out" if first.left_out else ""
        return (
            f"a file is a window of {rows:,} rows and {len(first.names):,} columns "
            f"({', '.join(map(table.short, first.names[: table.NAMES_SHOWN]))}){left}"
        )

"""HAPT: accelerometer and gyroscope of a phone on the waists of 30 people.

Smartphone-Based Recognition of Human Activities and Postural Transitions
(Reyes-Ortiz et al. 2015), the raw signals. They are looked for in $HIL_DATA/hapt
and nowhere else: their licence forbids any commercial use, so they are neither
part of this package nor fetched by it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hil.data import files
from hil.errors import DataError

FOLDER = "hapt"
LICENCE = (
    "UCI HAPT (Reyes-Ortiz et al. 2015): distributed as is, any commercial use is "
    "prohibited, publications must cite it"
)
SIGNALS, EXPERIMENTS, LABELS = (
    "hapt_accgyro_i16le.bin.gz",
    "experiments.csv",
    "labels.txt",
)
ROWS, AXES, STEP = 128, 6, 64
"""A window: 2.56 s at 50 Hz of ax ay az gx gy gz; the next begins half a one later."""
FIRST_USERS = 21
"""Of the 30, whose windows the data set by name learns from; the others test it."""
ACTIVITIES = (
    "walking", "walking upstairs", "walking downstairs", "sitting", "standing", "lying",
)  # fmt: skip
"""Names of the labels 0 .. 5, activities 1 .. 6 of the source: its transitions, 7 to
12, are left out."""


@dataclass(frozen=True, eq=False)
class Hapt:
    """Windows int16 [n, 768] in the order in which they were recorded, each of one
    activity and one person: `labels` [n] (0 .. 5, `ACTIVITIES`), `users` [n] (1 .. 30),
    `experiments` [n] (1 .. 61): each person was recorded twice.
    """

    windows: np.ndarray
    labels: np.ndarray
    users: np.ndarray
    experiments: np.ndarray


def load() -> Hapt:
    """All windows of the six basic activities. Raises `DataError`, also where
    HIL_DATA does not name a folder with hapt/ in it."""
    signals_file, experiments_file, labels_file = locate()
    signals = _signals(signals_file)
    starts = {}
    for number, user, first, rows in _integers(experiments_file, ",", 1, 4):
        starts[number, user] = first, rows
        if not 0 <= first <= first + rows <= len(signals):
            raise DataError(
                f"data file {str(experiments_file)!r}: experiment {number} is rows "
                f"{first} to {first + rows}, but there are {len(signals)}"
            )
    windows, labels, users, experiments = [], [], [], []
    for number, user, activity, first, last in _integers(labels_file, None, 0, 5):
        if activity > len(ACTIVITIES):
            continue
        start, rows = starts.get((number, user), (0, 0))
        if activity < 1 or not 1 <= first <= last <= rows:
            raise DataError(
                f"data file {str(labels_file)!r}: activity {activity} in rows {first} "
                f"to {last} of experiment {number} of user {user}, which has {rows}"
            )
        for at in range(start + first - 1, start + last - ROWS + 1, STEP):
            windows.append(signals[at : at + ROWS].ravel())
            labels.append(activity - 1)
            users.append(user)
            experiments.append(number)
    if not windows:
        raise DataError(f"data file {str(labels_file)!r} has no window")
    return Hapt(
        np.stack(windows),
        np.array(labels, np.int64),
        np.array(users, np.int64),
        np.array(experiments, np.int64),
    )


def locate() -> list[Path]:
    """Its three files. Raises `DataError` where one of them is missing."""
    return [
        files.located(FOLDER, name, why_not=f"it is not fetched for you: {LICENCE}")
        for name in (SIGNALS, EXPERIMENTS, LABELS)
    ]


def _signals(path: Path) -> np.ndarray:
    """All readings, int16 [rows, 6]."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"data file {str(path)!r} cannot be read: {error}") from error
    if not raw or len(raw) % (2 * AXES):
        raise DataError(
            f"data file {str(path)!r} has {len(raw)} bytes: expected rows of {AXES} int16"
        )
    return np.frombuffer(raw, "<i2").astype(np.int16).reshape(-1, AXES)


def _integers(
    path: Path, separator: str | None, skipped: int, columns: int
) -> Iterator[tuple[int, ...]]:
    """The numbers of each line after the first `skipped`."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"data file {str(path)!r} cannot be read: {error}") from error
    for number, line in enumerate(lines[skipped:], skipped + 1):
        cells = line.split(separator)
        if len(cells) != columns or not all(cell.strip().isdecimal() for cell in cells):
            raise DataError(
                f"data file {str(path)!r}, line {number}: {line!r}, expected {columns} "
                "numbers"
            )
        yield tuple(int(cell) for cell in cells)

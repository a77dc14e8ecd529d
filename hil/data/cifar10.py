"""The first images of CIFAR-10, in its official binary records.

A record is a label and three planes of 32 x 32: red, green, blue (Krizhevsky 2009,
"Learning Multiple Layers of Features from Tiny Images"). They are looked for in
$HIL_DATA/cifar10_subset and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hil.data import files
from hil.errors import DataError

FOLDER = "cifar10_subset"
PARTS = ("cifar10_train_first4000.bin", "cifar10_test_first1000.bin")
SIDE, CHANNELS = 32, 3
RECORD = 1 + CHANNELS * SIDE * SIDE
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
    "truck",
)  # fmt: skip
"""Names of the labels 0 to 9."""


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(train_x, train_y, test_x, test_y): uint8 [n, 3072], the pixels row by row, each
    with its three colours, and int64 [n]. Raises `DataError`."""
    why = "it is not downloaded, for a few records are no file of its own"
    train, test = (files.located(FOLDER, name, why_not=why) for name in PARTS)
    return *read(train), *read(test)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of a file of records. Raises `DataError`."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(data) or len(data) % RECORD:
        raise DataError(
            f"data file {str(path)!r} has {len(data):,} bytes: expected records of "
            f"{RECORD:,}"
        )
    records = data.reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"data file {str(path)!r} has label {labels.max()}: expected 0 to "
            f"{len(CLASSES) - 1}"
        )
    planes = records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE)
    pixels = planes.transpose(0, 2, 3, 1).reshape(len(records), -1)
    return np.ascontiguousarray(pixels), labels

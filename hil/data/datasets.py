"""Data sets by name, or by the path of a file.

`load` takes a name (digits, mnist, fashion, friedman, dense, hapt) or a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codegen import streams
from codegen.reference import random
from codegen.spec import Inputs
from hil.data import arrays, friedman, hapt, paths, taken, windows
from hil.data.dataset import Dataset, hold_out, order, split
from hil.errors import DataError

__all__ = [
    "NAMES",
    "Dataset",
    "hold_out",
    "in_order",
    "load",
    "order",
    "split",
    "whole",
]

DENSE = "dense"
NAMES = ("digits", "mnist", "fashion", friedman.NAME, DENSE, hapt.FOLDER)
DENSE_WIDTHS = (784, 128, 10)
DENSE_SEED = 0xDE45E
DENSE_TRAIN, DENSE_TEST = 1000, 200
DIGITS_TRAIN = 1437


def load(source: str, widths: Sequence[int] | None = None) -> Dataset:
    """The data set of that name, or of what lies at that path.

    `widths` are those of the network's layers, for "dense", which is as wide as
    it is asked to be. Raises `DataError` when there is none, or it is not what
    it should be.
    """
    if source == "digits":
        return _digits()
    if source == DENSE:
        return _dense(widths or DENSE_WIDTHS)
    if source in ("mnist", "fashion"):
        from hil.data import idx

        parts = idx.load(source)
        return Dataset(source, *parts, Inputs("u8", 255.0), idx.LICENCES[source])
    if source == hapt.FOLDER:
        return _hapt()
    if source == friedman.NAME:
        inputs = Inputs("f32", 1.0)
        return Dataset(source, *friedman.load(), inputs, "synthetic, no rights")
    if paths.is_path(source):
        with paths.opened(source) as found:
            return taken.from_arrays(paths.parted(source)[0].stem, found)
    raise DataError(
        f"unknown data set {source!r}: expected one of {', '.join(NAMES)}, or the "
        f"path of {paths.EXPECTED}"
    )


def in_order(source: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples [n, elements] and labels [n], or targets, of a file: all that it has to
    learn from, in its order, as a run would take them. Raises `DataError`."""
    found = whole(source)
    return found.train_x, found.train_y


def whole(source: str | Path) -> Dataset:
    """The data set at a path, nothing of it set aside to test with. Raises `DataError`."""
    with paths.opened(str(source)) as found:
        return taken.from_arrays(paths.parted(str(source))[0].stem, found, whole=True)


def _digits() -> Dataset:
    with arrays.opened(Path(__file__).parent / "digits.npz", "data file") as file:
        parts = split(file["x"], file["y"], DIGITS_TRAIN)
    licence = "UCI Optical Recognition of Handwritten Digits, CC BY 4.0"
    return Dataset("digits", *parts, Inputs("u8", 16.0), licence)


def _hapt() -> Dataset:
    """Windows of the first 21 people to learn from, and of the other nine to test with."""
    found = hapt.load()
    first = found.users <= hapt.FIRST_USERS
    made = windows.standardised(found.windows[first], hapt.ROWS, hapt.AXES)
    parts = (
        found.windows[first], found.labels[first],
        found.windows[~first], found.labels[~first],
    )  # fmt: skip
    inputs = Inputs("i16", 1.0, made)
    return Dataset(hapt.FOLDER, *parts, inputs, hapt.LICENCE, labels=hapt.ACTIVITIES)


def _dense(widths: Sequence[int]) -> Dataset:
    """Noise without a zero, u8 in 1..255, and labels drawn at random: nothing to
    learn, and nothing to skip. What a step costs at most."""
    samples = DENSE_TRAIN + DENSE_TEST
    words = random.u32(DENSE_SEED, streams.DENSE, 0, samples * (widths[0] + 1))
    x = (1 + words[samples:] % 255).astype(np.uint8).reshape(samples, widths[0])
    y = (words[:samples] % widths[-1]).astype(np.int64)
    parts = (x[:DENSE_TRAIN], y[:DENSE_TRAIN], x[DENSE_TRAIN:], y[DENSE_TRAIN:])
    return Dataset(DENSE, *parts, Inputs("u8", 255.0), "synthetic")

"""Data sets: what is learned from, and in which order.

`load` takes a name (digits, mnist, fashion, dense) or the path of an .npz. Samples
keep the type they have (uint8, int16 or float32): they travel as they are, and
device and reference scale them by the contract (DESIGN 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from codegen import streams
from codegen.reference import random
from codegen.spec import Inputs
from hil.data import arrays, friedman, tasks, windows
from hil.data.arrays import Archive
from hil.data.tasks import Task
from hil.errors import DataError

DENSE = "dense"
NAMES = ("digits", "mnist", "fashion", friedman.NAME, DENSE)
DENSE_WIDTHS = (784, 128, 10)
DENSE_SEED = 0xDE45E
DENSE_TRAIN, DENSE_TEST = 1000, 200
SPLIT_SEED = 0x5EED
"""Seed of the fixed train/test split (docs/rules.md)."""
DIGITS_TRAIN = 1437
LOOKED_AT = 1000
TRAIN_SHARE = 0.8
"""Training share of an .npz that brings no test part."""

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""train_x, train_y, test_x, test_y."""

SCALES = {"uint8": ("u8", 255.0), "int16": ("i16", 32768.0), "float32": ("f32", 1.0)}
"""Element type of an .npz -> type on the line, and scale unless it says one."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples [n, elements], and labels [n] (0, 1, ...) or targets [n, m] (float32), in
    two parts.

    `inputs` is how a sample travels, and what the device makes of it. Where there
    are `tasks`, the training samples are a stream: they come once, in this order.
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    inputs: Inputs
    licence: str
    tasks: tuple[Task, ...] = ()

    @cached_property
    def density(self) -> float:
        """Share of the training samples' elements that are not zero, to two
        places, and 1 only if none is zero; of the first `LOOKED_AT` samples.
        Features of windows are hardly ever zero."""
        if self.inputs.window is not None:
            return 1.0
        looked = self.train_x[:LOOKED_AT]
        share = np.count_nonzero(looked) / looked.size
        return 1.0 if share == 1.0 else min(round(share, 2), 0.99)

    @property
    def features(self) -> int:
        """What a sample is to the network: its elements, or a window's features."""
        window = self.inputs.window
        return int(self.train_x.shape[1]) if window is None else window.features

    @property
    def labelled(self) -> bool:
        """Whether its samples have labels, not targets."""
        return self.train_y.ndim == 1

    @property
    def outputs(self) -> int:
        """Outputs that a network needs: one a class, or one a number of a target."""
        return self.classes if self.labelled else int(self.train_y.shape[1])

    @property
    def classes(self) -> int:
        """One more than the largest label of either part, 0 without labels."""
        if not self.labelled:
            return 0
        return 1 + int(max(part.max(initial=0) for part in (self.train_y, self.test_y)))


def order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Order of `n` samples in an epoch: indices [n], the same on any machine."""
    return _shuffled(seed, streams.order(epoch), n)


def _shuffled(seed: int, stream: int, n: int) -> np.ndarray:
    """0..n-1 by ascending random key, equal keys as they come."""
    return np.argsort(random.u32(seed, stream, 0, n), kind="stable")


def hold_out(dataset: Dataset, count: int) -> Dataset:
    """Its training part alone, split once more: the last `count` samples of a
    fixed order are the test part, and the real test part is gone.

    Raises `DataError` when nothing would be left to learn from.
    """
    x, y = dataset.train_x, dataset.train_y
    if dataset.tasks:
        raise DataError(
            f"holdout is {count}, but data {dataset.name!r} is a stream with tests of its "
            "own: expected one of them"
        )
    if count >= len(x):
        raise DataError(
            f"holdout is {count}, but data {dataset.name!r} has {len(x)} training "
            "samples: expected fewer"
        )
    train_x, train_y, test_x, test_y = split(x, y, len(x) - count, streams.HOLDOUT)
    return replace(
        dataset, train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y
    )


def split(
    x: np.ndarray, y: np.ndarray, train: int, stream: int = streams.SPLIT
) -> Parts:
    """The fixed shuffled split, the first `train` samples for training."""
    places = _shuffled(SPLIT_SEED, stream, len(x))
    first, last = places[:train], places[train:]
    return x[first], y[first], x[last], y[last]


def load(source: str, widths: Sequence[int] | None = None) -> Dataset:
    """The data set of that name, or in the .npz at that path.

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
    if source == friedman.NAME:
        inputs = Inputs("f32", 1.0)
        return Dataset(source, *friedman.load(), inputs, "synthetic, no rights")
    if source.endswith(".npz") or Path(source).exists():
        return _npz(Path(source))
    raise DataError(
        f"unknown data set {source!r}: expected one of {', '.join(NAMES)}, or the "
        "path of an .npz file"
    )


def _digits() -> Dataset:
    with arrays.opened(Path(__file__).parent / "digits.npz", "data file") as file:
        parts = split(file["x"], file["y"], DIGITS_TRAIN)
    licence = "UCI Optical Recognition of Handwritten Digits, CC BY 4.0"
    return Dataset("digits", *parts, Inputs("u8", 16.0), licence)


def _dense(widths: Sequence[int]) -> Dataset:
    """Noise without a zero, u8 in 1..255, and labels drawn at random: nothing to
    learn, and nothing to skip. What a step costs at most."""
    samples = DENSE_TRAIN + DENSE_TEST
    words = random.u32(DENSE_SEED, streams.DENSE, 0, samples * (widths[0] + 1))
    x = (1 + words[samples:] % 255).astype(np.uint8).reshape(samples, widths[0])
    y = (words[:samples] % widths[-1]).astype(np.int64)
    parts = (x[:DENSE_TRAIN], y[:DENSE_TRAIN], x[DENSE_TRAIN:], y[DENSE_TRAIN:])
    return Dataset(DENSE, *parts, Inputs("u8", 255.0), "synthetic")


def _npz(path: Path) -> Dataset:
    with arrays.opened(path, "data file") as found:
        found.require_few("scale", *windows.ARRAYS, *tasks.ARRAYS)
        return _from_arrays(path, found)


def _from_arrays(path: Path, given: Archive) -> Dataset:
    x, y = _samples(path, given, "x", "y")
    dtype, scale = SCALES[x.dtype.name]
    if "scale" in given:
        scale = _scale(path, given["scale"])
    window = windows.declared(str(path), given)
    if window is not None:
        scale = 1.0
    if "x_test" in given or "y_test" in given:
        test = _samples(path, given, "x_test", "y_test")
        for ours, theirs, name in ((x, test[0], "x"), (y, test[1], "y")):
            if ours.dtype != theirs.dtype or ours.shape[1:] != theirs.shape[1:]:
                raise DataError(
                    f"data file {str(path)!r}: {name}_test is {_form(theirs)}, but "
                    f"{name} is {_form(ours)}; expected the same type and width"
                )
        parts: Parts = (x, y, *test)
    else:
        if len(x) < 2:
            raise DataError(
                f"data file {str(path)!r} has {len(x)} sample: expected at least 2"
            )
        parts = split(x, y, max(1, int(TRAIN_SHARE * len(x))))
    licence = "as the file's owner says"
    origin = f"data file {str(path)!r}"
    if tasks.NAMES in given and "x_test" not in given:
        raise DataError(
            f"{origin} has tasks, but no x_test and y_test to test them with"
        )
    found = tasks.from_arrays(origin, given, len(parts[0]), len(parts[2]))
    return Dataset(path.stem, *parts, Inputs(dtype, scale, window), licence, found)


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _scale(path: Path, raw: np.ndarray) -> float:
    if (
        raw.size != 1
        or raw.dtype.kind not in "iuf"
        or not 0 < float(raw.ravel()[0]) < 3e38
    ):
        raise DataError(
            f"data file {str(path)!r}: scale is {_form(raw)}, expected one positive number"
        )
    return float(np.float32(raw.ravel()[0]))


def _samples(
    path: Path, given: Archive, x_name: str, y_name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Samples, and labels or targets, of these names, checked before they are read;
    labels become int64, targets float32 [n, m]."""
    for name in (x_name, y_name):
        if name not in given:
            raise DataError(
                f"data file {str(path)!r} has no array {name!r}: found "
                + (", ".join(sorted(given)) or "none")
            )
    x_said, y_said = given.header(x_name), given.header(y_name)
    known = ", ".join(SCALES)
    if x_said.ndim != 2 or 0 in x_said.shape or x_said.dtype.name not in SCALES:
        raise DataError(
            f"data file {str(path)!r}: {x_name} is {x_said}, expected "
            f"[samples, features] of {known}"
        )
    x = given[x_name]
    if x.dtype == np.float32 and not np.isfinite(x).all():
        raise DataError(f"data file {str(path)!r}: {x_name} holds non-finite values")
    if y_said.dtype.kind == "f":
        return x, _targets(path, given, y_name, len(x))
    if y_said.shape != (len(x),) or y_said.dtype.kind not in "iu":
        raise DataError(
            f"data file {str(path)!r}: {y_name} is {y_said}, expected {len(x)} integers "
            f"(labels), or {len(x)} numbers or rows of them (targets)"
        )
    y = given[y_name]
    if y.min() < 0 or y.max() > 65535:
        raise DataError(
            f"data file {str(path)!r}: {y_name} has labels {y.min()} to {y.max()}, "
            "expected 0 to 65535"
        )
    return x, y.astype(np.int64)


def _targets(path: Path, given: Archive, name: str, samples: int) -> np.ndarray:
    """Targets of that name, one number or a row of them a sample, as float32 [n, m]."""
    said = given.header(name)
    if said.ndim not in (1, 2) or said.shape[0] != samples or 0 in said.shape:
        raise DataError(
            f"data file {str(path)!r}: {name} is {said}, expected {samples} numbers, or "
            "rows of them"
        )
    with np.errstate(over="ignore"):
        y = given[name].astype(np.float32).reshape(samples, -1)
    wrong = np.argwhere(~np.isfinite(y))
    if wrong.size:
        row, column = wrong[0].tolist()
        raise DataError(
            f"data file {str(path)!r}: {name} holds {given[name].reshape(samples, -1)[row, column]} in row {row}, "
            f"column {column}: expected finite binary32 numbers"
        )
    return y

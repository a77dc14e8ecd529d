"""Windows of sensor readings as data: what an .npz says of them, and the constants
that standardise their features (docs/data.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from codegen.errors import SpecError
from codegen.reference.fronts.window import raw_features
from codegen.window import LARGEST, Window
from hil.errors import DataError

ARRAYS = ("window", "offset", "divisor")
"""Arrays of an .npz that declare its samples to be windows."""


def standardised(windows: np.ndarray, rows: int, axes: int) -> Window:
    """The declaration whose constants give each feature of these `windows`, int16
    [n, rows * axes], mean 0 and standard deviation 1.

    The constants are sums of binary64 rounded once, so they are the same on every
    computer. A feature that is always the same is divided by 1. Raises `DataError`
    for windows of another size, or none.
    """
    expected = rows * axes
    if windows.dtype != np.int16 or windows.ndim != 2 or not len(windows):
        raise DataError(
            f"windows are {windows.dtype} {list(windows.shape)}: expected int16 "
            f"[windows, {expected}]"
        )
    if windows.shape[1] != expected:
        raise DataError(
            f"windows have {windows.shape[1]} elements: expected {rows} rows of "
            f"{axes} axes, {expected}"
        )
    offsets, divisors = [], []
    for values in raw_features(windows, rows, axes).T:
        mean, deviation = moments(values)
        offsets.append(float(np.float32(mean)))
        divisors.append(
            float(np.float32(deviation)) if deviation > 1 / LARGEST else 1.0
        )
    return Window(rows, axes, tuple(offsets), tuple(divisors))


def moments(values: NDArray[np.number]) -> tuple[float, float]:
    """Mean and standard deviation of numbers: exact sums, rounded, so that they are the
    same on every computer."""
    n = len(values)
    if values.dtype.kind in "iu":
        whole = values.astype(np.int64)
        total, squares = int(whole.sum()), int((whole * whole).sum())
        return total / n, math.sqrt((n * squares - total * total) / (n * n))
    exact = values.astype(np.float64)
    mean = math.fsum(exact.tolist()) / n
    away = exact - mean
    return mean, math.sqrt(math.fsum((away * away).tolist()) / n)


def arrays(window: Window) -> dict[str, np.ndarray]:
    """What an .npz says beside x and y, so that its samples are such windows."""
    return {
        "window": np.array([window.rows, window.axes]),
        "offset": np.array(window.offsets, np.float32),
        "divisor": np.array(window.divisors, np.float32),
    }


def declared(
    origin: str, found: Mapping[str, np.ndarray], x: np.ndarray
) -> Window | None:
    """The declaration among the arrays of a data set with samples `x`, None: they are
    no windows. Raises `DataError`, `origin` begins its sentence."""
    if ARRAYS[0] not in found:
        return None
    for name in ARRAYS:
        if name not in found:
            raise DataError(
                f"{origin} has an array {ARRAYS[0]!r}, but none {name!r}: "
                "expected window, offset and divisor together"
            )
    size = found["window"]
    if size.size != 2 or size.dtype.kind not in "iu":
        raise DataError(
            f"{origin}: window is {size.dtype} {list(size.shape)}, "
            "expected two integers, rows and axes"
        )
    if x.dtype.name != "int16" or "scale" in found:
        what = "a scale" if "scale" in found else f"x of {x.dtype}"
        raise DataError(
            f"{origin} has windows and {what}: expected x of int16, whose "
            "features are standardised by offset and divisor alone"
        )
    rows, axes = (int(value) for value in size.ravel())
    values = [constants(origin, name, found[name]) for name in ARRAYS[1:]]
    try:
        window = Window(rows, axes, *values)
    except SpecError as error:
        raise DataError(f"{origin}: {error}") from None
    if x.shape[1] != window.elements:
        raise DataError(
            f"{origin}: x has {x.shape[1]} elements a sample, but a "
            f"window of {rows} rows and {axes} axes has {window.elements}"
        )
    return window


def constants(origin: str, name: str, given: np.ndarray) -> tuple[float, ...]:
    """Offsets or divisors as they lie in the image. Raises `DataError`."""
    if given.ndim != 1 or given.dtype.kind != "f" or not np.isfinite(given).all():
        raise DataError(
            f"{origin}: {name} is {given.dtype} {list(given.shape)}, "
            "expected finite float32, one for each feature"
        )
    return tuple(given.astype(np.float32).tolist())

"""Features of windows, standardised (docs/arithmetic.md, section 4).

Sums are exact integers in int64 here; V, of up to 48 bits, is exact in binary64 too,
so that its conversion to binary32 is one rounding. In the integer formats features are
levels of these sums: the root of V to nearest is that of binary64, for V is a quarter away
from the square of every half.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.intervals import ULPS, Interval, down, up, widened
from codegen.spec import Inputs
from codegen.window import PER_AXIS, UNIT, Window

MADE = "features"
I64: TypeAlias = NDArray[np.int64]


def _sums(windows: NDArray[np.int16], rows: int, axes: int) -> tuple[I64, I64, I64]:
    """S, V and D of each axis of windows [..., rows * axes]."""
    v = windows.reshape(-1, rows, axes).astype(np.int64)
    total = v.sum(axis=1)
    spread = rows * (v * v).sum(axis=1) - total * total
    return total, spread, np.abs(np.diff(v, axis=1)).sum(axis=1)


def raw_features(windows: NDArray[np.int16], rows: int, axes: int) -> F32:
    """Features of windows [..., rows * axes] before they are standardised,
    [..., 3 * axes]: of each axis mean, standard deviation, mean absolute difference."""
    total, spread, motion = _sums(windows, rows, axes)
    count = np.float32(rows)
    mean = total.astype(np.float32) / count
    deviation = np.sqrt(spread.astype(np.float64).astype(np.float32)) / count
    moved = motion.astype(np.float32) / np.float32(rows - 1)
    found = np.stack([mean, deviation, moved], axis=2)
    return found.reshape(*windows.shape[:-1], PER_AXIS * axes)


def features(sample: NDArray[np.int16], window: Window) -> F32:
    """x [..., 3 axes] of windows [..., rows * axes]."""
    found = raw_features(sample, window.rows, window.axes)
    offsets = np.array(window.offsets, np.float32)
    divisors = np.array(window.divisors, np.float32)
    return np.asarray((found - offsets) / divisors, np.float32)


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., 3 axes] of samples [..., rows * axes]."""
    assert inputs.window is not None
    return features(sample.astype(np.int16, copy=False), inputs.window)


def integer_input(inputs: Inputs, sample: NDArray[Any]) -> I64:
    """The same for integer formats, within -127 .. 127."""
    window = inputs.window
    assert window is not None
    total, spread, motion = _sums(sample, window.rows, window.axes)
    root = np.rint(np.sqrt(spread.astype(np.float64))).astype(np.int64)
    found = _levels(window, np.stack([total, root, motion], axis=2))
    return found.reshape(*sample.shape[:-1], window.features)


def integer_ends(inputs: Inputs, low: float, high: float) -> I64:
    """The least and the largest of every window of numbers from `low` to `high`,
    [2, axes, 3]."""
    window = inputs.window
    assert window is not None
    rows, widest = window.rows, high - low
    ends = [rows * low, 0, 0], [rows * high, rows * widest / 2, (rows - 1) * widest]
    sums = np.array([np.floor(ends[0]), np.ceil(ends[1])]).astype(np.int64)
    return _levels(window, sums[:, None].repeat(window.axes, axis=1))


def _levels(window: Window, sums: I64) -> I64:
    """UNIT (F / n - offset) / divisor of sums F [..., axes, 3] of n terms."""
    constants = np.array(list(window.constants())).reshape(2, window.axes, PER_AXIS)
    terms = np.array([window.rows, window.rows, window.rows - 1])
    centre = np.floor(constants[0] * terms + 0.5).astype(np.int64)
    unit = UNIT / (constants[1] * terms)
    shift = np.maximum(13 - np.frexp(unit)[1].astype(np.int64), 1)
    factor = np.minimum(np.floor(unit * 2.0**shift + 0.5), 2**13).astype(np.int64)
    first = np.maximum(shift - 22, 0)
    away = sums - centre
    left = np.where(first > 0, (away + (1 << first >> 1)) >> first, away)
    products = np.clip(left, -(2**17), 2**17) * factor
    last = shift - first
    return np.clip((products + (1 << (last - 1))) >> last, -127, 127)


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every window of numbers from `low` to `high`: a mean is one of them, a
    deviation at most half their range, a difference all of it."""
    assert inputs.window is not None
    widest = high - low
    raw = (low, high), (0.0, widened(widest / 2, ULPS)), (0.0, widened(widest, ULPS))
    constants = np.array(list(inputs.window.constants())).reshape(2, -1).tolist()
    least, most = [], []
    for k, (offset, divisor) in enumerate(zip(*constants, strict=True)):
        lo, hi = raw[k % PER_AXIS]
        least.append(down(down(lo - offset) / divisor))
        most.append(up(up(hi - offset) / divisor))
    return Interval(min(least), max(most), (n_in,))

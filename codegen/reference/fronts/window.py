"""Features of windows, standardised (docs/arithmetic.md, section 4).

Sums are exact integers in int64 here; V, of up to 48 bits, is exact in binary64 too,
so that its conversion to binary32 is one rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.intervals import ULPS, Interval, down, up, widened
from codegen.spec import Inputs
from codegen.window import PER_AXIS, Window

MADE = "features"


def raw_features(windows: NDArray[np.int16], rows: int, axes: int) -> F32:
    """Features of windows [..., rows * axes] before they are standardised,
    [..., 3 * axes]: of each axis mean, standard deviation, mean absolute difference."""
    v = windows.reshape(-1, rows, axes).astype(np.int64)
    total = v.sum(axis=1)
    spread = rows * (v * v).sum(axis=1) - total * total
    motion = np.abs(np.diff(v, axis=1)).sum(axis=1)
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

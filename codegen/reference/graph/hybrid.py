"""Integer weights with float32 inputs: inputs become integers for the product, around 0 or,
where weights have a scale for each channel, around a zero point of their own."""

from __future__ import annotations

import math

import numpy as np

from codegen.reference.graph.node import Array, away

LARGEST = np.float32(127)


def dynamic(rows: Array, w: Array, scale: float, asymmetrically: bool) -> Array:
    """rows [n, k] by weights [m, k]: float32 [n, m], each row with a scale of its own."""
    found = np.zeros((len(rows), len(w)), np.float32)
    for place, row in enumerate(rows):
        quantised, of_row = (asymmetric if asymmetrically else symmetric)(row)
        sums = (w.astype(np.float64) @ quantised).astype(np.float32)
        found[place] = sums * np.float32(of_row * np.float32(scale))
    return found


def symmetric(x: Array) -> tuple[Array, np.float32]:
    """Integers from -127 to 127 as float64, and the scale that makes x of them. NaN
    becomes 0, also that of 0 by infinity."""
    reach = np.fmax.reduce(np.abs(x), axis=None, initial=np.float32(0))
    if reach == 0:
        return np.zeros(x.shape), np.float32(1)
    inverse = np.float32(LARGEST / reach)
    near = x * inverse
    found = away(np.clip(np.where(np.isnan(near), 0, near), -127, 127))
    return found.astype(np.float64), np.float32(reach / LARGEST)


def asymmetric(x: Array) -> tuple[Array, np.float32]:
    """Integers from -128 to 127 less the zero point as float64, and the scale that makes x
    of them: 0 is one of them, and the range is computed in binary64. NaN becomes 0, and so
    does all where the range is not finite."""
    low = min(0.0, float(np.fmin.reduce(x, axis=None, initial=np.float32(0))))
    high = max(0.0, float(np.fmax.reduce(x, axis=None, initial=np.float32(0))))
    if not math.isfinite(high - low):
        return np.zeros(x.shape), np.float32(np.inf)
    scale = np.float32((high - low) / 255)
    if scale == 0:
        return np.zeros(x.shape), np.float32(1)
    zero = _zero((high - low) / 255, low, high)
    near = np.float32(zero) + x * (np.float32(1) / scale)
    near = np.clip(np.where(np.isnan(near), zero, near), -128, 127)
    return away(near).astype(np.float64) - zero, scale


def _zero(scale: float, low: float, high: float) -> int:
    """The zero point by the end of the range that has the smaller error."""
    below, above = -128 - low / scale, 127 - high / scale
    exact = below if 128 + abs(low / scale) < 127 + abs(high / scale) else above
    return int(away(np.clip(exact, -128, 127)))

"""Integer weights with float32 inputs: inputs become integers for the product."""

from __future__ import annotations

import numpy as np

from codegen.reference.graph.node import Array, away

LARGEST = np.float32(127)


def dynamic(rows: Array, w: Array, scale: float) -> Array:
    """rows [n, k] by weights [m, k]: float32 [n, m], each row with a scale of its own."""
    found = np.zeros((len(rows), len(w)), np.float32)
    for place, row in enumerate(rows):
        quantised, of_row = symmetric(row)
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

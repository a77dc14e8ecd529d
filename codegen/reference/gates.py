"""Gated updates, and the controllers of their thresholds.

A rank-1 update of which only a part is made: what is at least as large as a
threshold tau. Biases are never gated (docs/gates.md).
"""

from __future__ import annotations

import numpy as np

from codegen.constants import GAIN, TAU_MAX, TAU_MIN
from codegen.reference.arithmetic import F32, fma
from codegen.reference.functions import exp
from codegen.spec import Gate

ACTIVE_GAIN = np.float32(GAIN)
"""Gain of the controller of an active fraction."""
_TAU_MIN, _TAU_MAX = np.float32(TAU_MIN), np.float32(TAU_MAX)


def update(
    w: F32, b: F32, x: F32, d: F32, eta: np.float32, tau: np.float32, gate: Gate
) -> tuple[int, int]:
    """`dense.update` of the rows, blocks or elements that pass, in place.

    With s_i = -(eta x_i): row i passes if fl(|s_i| * max|d|) >= tau, element j of
    it if fl(|s_i| * m_j) >= tau, with m_j = |d_j|, or the largest |d| of its block.
    Rounding is monotonic, so no element of a row that does not pass could have
    passed. Returns (passed, of): rows, or elements where rows are masked, of all
    that the layer has; rows whose input is zero never pass.
    """
    rows = np.flatnonzero(x)
    s = -(eta * x[rows])
    large = np.abs(d)
    passing = np.abs(s) * large.max() >= tau
    rows, s = rows[passing], s[passing]
    found = w.take(rows, axis=0)
    moved = fma(s[:, None], d, found)
    if gate.masked:
        mask = np.abs(s)[:, None] * _block_max(large, gate.block) >= tau
        w[rows] = np.where(mask, moved, found)
        part, whole = int(np.count_nonzero(mask)), w.size
    else:
        w[rows] = moved
        part, whole = rows.size, x.size
    b[...] = fma(-eta, d, b)
    return part, whole


def _block_max(v: F32, block: int) -> F32:
    """Of each element the largest of its block of `block`, from index 0 on."""
    starts = np.arange(0, v.size, block)
    return np.repeat(np.maximum.reduceat(v, starts), block)[: v.size]


def controlled(
    tau: np.float32,
    part: int,
    whole: int,
    set_point: np.float32,
    gain: np.float32 = ACTIVE_GAIN,
) -> np.float32:
    """tau * exp(gain * (part / whole - set_point)) within TAU_MIN .. TAU_MAX,
    each operation rounded once: too much passes, so tau rises."""
    share = np.float32(part) / np.float32(whole)
    factor = exp(np.asarray([gain * (share - set_point)], np.float32))[0]
    with np.errstate(over="ignore"):
        moved = np.float32(tau * factor)
    moved = moved if moved < _TAU_MAX else _TAU_MAX
    return moved if moved > _TAU_MIN else _TAU_MIN

"""Dense layers: forward, backward, feedback and rank-1 update.

Weights lie input-major, `w[i, j]` with i the input and j the output.
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32, dot16, fma, fma_chain


def forward(w: F32, b: F32, x: F32) -> F32:
    """Pre-activations a [n_out]: from b on, a = fma(x_i, w[i], a), i ascending.

    Inputs that are zero, of either sign, are skipped.
    """
    rows = np.flatnonzero(x)
    if rows.size < x.size:
        w, x = w.take(rows, axis=0), x[rows]
    return fma_chain(x[:, None], w, b)


def backward(w: F32, d: F32) -> F32:
    """u [n_in], u_i = dot16(w[i], d)."""
    return dot16(w, d)


def feedback(matrix: F32, e: F32) -> F32:
    """u [n]: from +0 on, u = fma(e_c, matrix[c], u), c ascending, none skipped.

    `matrix` is [n_err, n].
    """
    start = np.zeros(matrix.shape[1], dtype=np.float32)
    return fma_chain(e[:, None], matrix, start)


def clipped(v: F32, limit: np.float32) -> F32:
    """v within -limit .. limit: v < limit ? v : limit, then the same below."""
    above = np.where(v < limit, v, limit)
    return np.where(above > -limit, above, -limit)


def update(w: F32, b: F32 | None, x: F32, d: F32, eta: np.float32) -> None:
    """One rank-1 step in place: w[i] = fma(-(eta x_i), d, w[i]), b likewise.

    eta x_i is rounded once. Rows whose input is zero are not touched.
    """
    rows = np.flatnonzero(x)
    if rows.size < x.size:
        scaled = -(eta * x[rows])
        w[rows] = fma(scaled[:, None], d, w.take(rows, axis=0))
    else:
        w[...] = fma(-(eta * x)[:, None], d, w)
    if b is not None:
        b[...] = fma(-eta, d, b)

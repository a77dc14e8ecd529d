"""Linear discriminants in float32: a Cholesky factor and two solves, in the contract's order.

Element by element these are the sums of docs/arithmetic.md, section 6: numpy takes them
column by column, which for each element is the same order.
"""

from __future__ import annotations

import numpy as np

from codegen.reference.arithmetic import F32, fma, fma_chain

LEAST_RIDGE = np.float32(1e-6)
"""Of the ridge on the diagonal, where there is no variance yet."""
LEAST_PIVOT = np.float32(1e-12)
"""Of what a root is taken of: rounding may leave less."""


def shrunk(triangle: F32, n: int, shrinkage: np.float32) -> F32:
    """[n, n]: the covariance of a lower triangle, shrunk towards its mean variance."""
    keep = np.float32(1) - shrinkage
    found = np.zeros((n, n), np.float32)
    found[np.tril_indices(n)] = triangle
    variances = found.diagonal().copy()
    trace = np.add.accumulate(variances)[-1] + np.float32(0)
    ridge = shrinkage * (trace / np.float32(n))
    ridge = ridge if ridge > LEAST_RIDGE else LEAST_RIDGE
    found = keep * found
    np.fill_diagonal(found, fma(keep, variances, ridge))
    return found


def factor(a: F32) -> F32:
    """The lower triangle L with L L^T = a, of which the lower triangle is looked at."""
    found = a.copy()
    for j in range(len(found)):
        pivot = found[j, j]
        found[j, j] = np.sqrt(pivot if pivot > LEAST_PIVOT else LEAST_PIVOT)
        below = found[j + 1 :, j] / found[j, j]
        found[j + 1 :, j] = below
        if below.size:
            rest = found[j + 1 :, j + 1 :]
            rest[...] = fma(-below[:, None], below, rest)
    return np.tril(found)


def solved(lower: F32, means: F32) -> F32:
    """w with L L^T w = means [n, classes]: first L, then its transposed."""
    w, n = means.copy(), len(means)
    for k in range(n):
        w[k] = w[k] / lower[k, k]
        if k + 1 < n:
            w[k + 1 :] = fma(-lower[k + 1 :, k, None], w[k], w[k + 1 :])
    for k in reversed(range(n)):
        w[k] = w[k] / lower[k, k]
        if k:
            w[:k] = fma(-lower[k, :k, None], w[k], w[:k])
    return w


def offsets(means: F32, w: F32, counts: F32, least: np.float32) -> F32:
    """-mu_c . w_c / 2 of classes that have samples, not above zero; `least` of others,
    and where that is not above it."""
    squares = fma_chain(means, w, np.zeros(len(counts), np.float32))
    half = np.where(squares > 0, np.float32(-0.5) * squares, np.float32(0))
    there = (counts > 0) & (squares < -2 * least)
    return np.where(there, half, least).astype(np.float32)

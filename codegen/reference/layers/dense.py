"""Dense layers: forward, backward, feedback, derivatives and first weights.

Weights lie input-major, `w[i, j]` with i the input and j the output.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from codegen import streams
from codegen.reference.operations import Arithmetic, T
from codegen.spec import Network

Draw: TypeAlias = Callable[[int, float, tuple[int, int]], Any]
"""First weights of a shape: uniform numbers of a stream, within a limit."""


def forward(arithmetic: Arithmetic[T], w: T, b: T, x: T) -> T:
    """Pre-activations a [n_out]: from b on, a = fma(x_i, w[i], a), i ascending.

    Inputs that are zero, of either sign, are skipped.
    """
    return arithmetic.chain(b, (x, w), skip=True)


def backward(arithmetic: Arithmetic[T], w: T, d: T) -> T:
    """u [n_in], u_i = dot16(w[i], d)."""
    return arithmetic.dot(w, d)


def feedback(arithmetic: Arithmetic[T], matrix: T, e: T) -> T:
    """u [n]: from +0 on, u = fma(e_c, matrix[c], u), c ascending, none skipped.

    `matrix` is [n_err, n].
    """
    return arithmetic.chain(None, (e, matrix))


def derivative(arithmetic: Arithmetic[T], w: T, v: T, x: T, t: T | None) -> T:
    """Derivative [n_out] of the pre-activations where x [n_in] moves along t (None:
    stays), W [n_in, n_out] along v[:n_in], b along v[n_in].

    u = v[n_in], then for i ascending u = fma(t_i, W[i], u) and u = fma(x_i, v[i],
    u), either left out where its factor is zero.
    """
    along_v = x, v[:-1]
    pairs = [along_v] if t is None else [(t, w), along_v]
    return arithmetic.chain(v[-1], *pairs, skip=True)


def initial(network: Network, layer: int, draw: Draw) -> tuple[Any, Any]:
    """Weights that `draw` makes, uniform within their `limit`, biases 0."""
    n_in, n_out = network.shape(layer)
    w = draw(streams.weights(layer), limit(network, layer), (n_in, n_out))
    return w, np.zeros_like(w, shape=(n_out,))


def limit(network: Network, layer: int) -> float:
    """Of first weights: sqrt(6 / (n_in + n_out)), for hidden relu layers sqrt(6 / n_in)
    (Glorot and Bengio 2010, eq. 16; He et al. 2015, eq. 10, as uniform
    distributions)."""
    n_in, n_out = network.shape(layer)
    he = network.activation == "relu" and layer < network.depth
    return math.sqrt(6.0 / (n_in if he else n_in + n_out))

"""SVDF: s_f(now) = w_f x; y_u = b_u + sum over the filters f of u, and over what they
remember, of t_f s_f.

What is remembered, [batch, filters, memory] with the newest behind, is written: it moves on
by one place. Integers: s has 16 bits, sums of its products 32. float32: one fma for each
input, and for each place of memory, from 0 on; filters are added to b in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma_chain
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale, saturated, wrapped
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, w, t, b, state = given
    assert x is not None and w is not None and t is not None and state is not None
    filters, memory = t.shape
    rank = node.number(operator, "rank")
    remembered = state.reshape(len(x), filters, memory)
    floats = x.dtype == np.float32
    remembered[..., -1] = _seen(operator, x, w)
    bias = (
        np.zeros(filters // rank, np.float32 if floats else np.int64)
        if b is None
        else b
    )
    made = (_floats if floats else _integers)(operator, t, remembered, bias, rank)
    remembered[..., :-1] = remembered[..., 1:].copy()
    remembered[..., -1] = 0
    return made


def _seen(operator: Operator, x: Array, w: Array) -> Array:
    """What each filter sees of the input [batch, filters]."""
    if x.dtype == np.float32:
        start = np.zeros(len(w), np.float32)
        return np.stack([fma_chain(row[:, None], w.T, start) for row in x])
    of_x, of_w, of_s = (
        np.float32(node.scale(operator.inputs[place])) for place in (0, 1, 4)
    )
    sums = node.centred(operator.inputs[0], x) @ w.T.astype(np.int64)
    return saturated(Scale.of(float(of_x * of_w / of_s))(sums), 16).astype(np.int16)


def _integers(
    operator: Operator, t: Array, remembered: Array, b: Array, rank: int
) -> Array:
    of_s, of_t = (np.float32(node.scale(operator.inputs[place])) for place in (4, 2))
    sums = (remembered.astype(np.int64) * t).sum(axis=2)
    whole = sums.reshape(len(sums), -1, rank).sum(axis=2) + b
    factor = Scale.of(float(of_s * of_t / np.float32(node.scale(operator.outputs[0]))))
    return node.integer(operator, factor(wrapped(whole)))


def _floats(
    operator: Operator, t: Array, remembered: Array, b: Array, rank: int
) -> Array:
    batch, filters, _ = remembered.shape
    start, sums = np.zeros(filters, np.float32), []
    for row in remembered:
        sums.append(fma_chain(row.T, t.T, start))
    y = np.broadcast_to(b, (batch, filters // rank)).copy()
    for part in np.moveaxis(np.stack(sums).reshape(batch, -1, rank), 2, 0):
        y = y + part
    return node.floating(y, node.number(operator, "activation"))

"""UNIDIRECTIONAL_SEQUENCE_LSTM: i, f, o = logistic(W x + R h + b), g = tanh(W x + R h +
b), c = f c + i g, h = o tanh(c), for each step of time (Hochreiter and Schmidhuber 1997,
with the forget gate of Gers et al. 2000).

Integers: gates with 3 integer bits in 16, each of its two sums rescaled by itself; c
with a scale that is a power of two. The state begins at zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.arithmetic import fma, fma_chain
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import (
    I64,
    Fixed,
    Scale,
    divided,
    logistic,
    saturated,
    tanh,
)
from codegen.reference.graph.node import Array

INPUT, RECURRENT, BIAS, STATE, CELL = 1, 5, 12, 18, 19
GATE_BITS = 3
GATE_SCALE = 2.0**-12


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The states of all steps, from a state of zero."""
    x = given[0]
    assert x is not None
    step = _float_step if x.dtype == np.float32 else _integer_step
    cells = operator.outputs[0].shape[2]
    h = np.zeros((len(x), cells), x.dtype)
    c: Array = np.zeros(h.shape, np.float32 if x.dtype == np.float32 else np.int64)
    if x.dtype != np.float32:
        h += node.zero(operator.inputs[STATE])
    made = []
    for time in range(x.shape[1]):
        h, c = step(operator, given, x[:, time], h, c)
        made.append(h)
    return np.stack(made, axis=1)


def _parts(given: Sequence[Array | None], gate: int) -> tuple[Array, Array, Array]:
    found = given[INPUT + gate], given[RECURRENT + gate], given[BIAS + gate]
    assert found[0] is not None and found[1] is not None and found[2] is not None
    return found[0], found[1], found[2]


def _float_step(
    operator: Operator, given: Sequence[Array | None], x: Array, h: Array, c: Array
) -> tuple[Array, Array]:
    sums = []
    for gate in range(4):
        w, r, b = _parts(given, gate)
        sums.append(
            np.stack(
                [
                    fma_chain(old[:, None], r.T, fma_chain(new[:, None], w.T, b))
                    for new, old in zip(x, h, strict=True)
                ]
            )
        )
    i, f, o = (node.each(functions.sigmoid, sums[k]) for k in (0, 1, 3))
    c = fma(node.each(functions.tanh, sums[2]), i, np.asarray(f * c, np.float32))
    clip = node.real(operator, "cell_clip")
    c = np.clip(c, np.float32(-clip), np.float32(clip)) if clip > 0 else c
    return np.asarray(o * node.each(functions.tanh, c), np.float32), c


def _integer_step(
    operator: Operator, given: Sequence[Array | None], x: Array, h: Array, c: Array
) -> tuple[Array, Array]:
    sums = [_gate(operator, given, gate, x, h) for gate in range(4)]
    i, f, o = (logistic(Fixed(sums[k], GATE_BITS, 16)) for k in (0, 1, 3))
    g = tanh(Fixed(sums[2], GATE_BITS, 16))
    scale = node.scale(operator.inputs[CELL])
    exponent = round(math.log2(scale))
    c = saturated(divided(f * c, 15) + divided(i * g, 30 + exponent), 16)
    clip = node.real(operator, "cell_clip")
    if clip > 0:
        most = int(np.clip(np.float32(clip) / np.float32(scale), -32768, 32767))
        c = np.clip(c, -most, most)
    squeezed = tanh(Fixed(c, 15 + exponent, 16))
    hidden = operator.between[4]
    factor = Scale.of(2.0**-15 / node.scale(hidden) * 2.0**-15)
    made = factor(o * squeezed) + node.zero(hidden)
    return np.clip(made, -128, 127).astype(np.int8), c


def _gate(
    operator: Operator, given: Sequence[Array | None], gate: int, x: Array, h: Array
) -> I64:
    """One gate's sum [batch, cells] before its activation."""
    w, r, b = _parts(given, gate)
    sources = (
        (operator.inputs[0], w, x, INPUT),
        (operator.inputs[STATE], r, h, RECURRENT),
    )
    total, bias = np.zeros((len(x), len(w)), np.int64), b.astype(np.int64)
    for source, weights, values, place in sources:
        product = node.scale(source) * node.scale(operator.inputs[place + gate])
        sums = node.centred(source, values) @ weights.T.astype(np.int64) + bias
        total = saturated(total + Scale.of(product / GATE_SCALE)(sums), 16)
        bias = np.zeros_like(bias)
    return total

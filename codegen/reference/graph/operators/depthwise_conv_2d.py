"""DEPTHWISE_CONV_2D: output i * multiplier + k is channel i with filter
w[0, r, c, i * multiplier + k]. Otherwise as CONV_2D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node, windows
from codegen.reference.graph.fixed_point import I64
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.conv_2d import of_channels, rescaled, weights_of
from codegen.reference.graph.windows import Axis


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, w = given[0], given[1]
    assert x is not None and w is not None
    bias = given[2] if len(given) > 2 else None
    if x.dtype == np.float32:
        b = np.zeros(w.shape[3], np.float32) if bias is None else bias
        made = _floats(operator, x, w, b)
        return node.floating(made, node.number(operator, "activation"))
    sums = _sums(operator, node.centred(operator.inputs[0], x), w)
    return rescaled(operator, sums, bias, x.dtype == np.int16)


def _repeated(operator: Operator, x: Array, w: Array) -> tuple[Axis, Axis, Array]:
    """Rows and columns of the window, and a channel of x for each output."""
    _, high, wide, outputs = w.shape
    rows, columns = windows.axes(operator, x.shape, (high, wide))
    return rows, columns, np.repeat(x, outputs // x.shape[3], axis=3)


def _floats(operator: Operator, x: Array, w: Array, b: Array) -> Array:
    """Weights of 8 bits have a scale for each channel."""
    if w.dtype != np.float32:
        scales = np.array(node.quantised(operator.inputs[1]).scales, np.float32)
        return of_channels(x, scales, lambda image: _sums(operator, image, w)) + b
    rows, columns, repeated = _repeated(operator, x, w)
    found = np.broadcast_to(b, (len(x), rows.out, columns.out, len(b))).copy()
    for row, column, place, seen in windows.taps(rows, columns, repeated):
        found[place] = fma(seen, w[0, row, column], found[place])
    return found


def _sums(operator: Operator, x: I64, w: Array) -> I64:
    """Exact: they stay below 2^53."""
    rows, columns, repeated = _repeated(operator, x, w)
    sums = np.zeros((len(x), rows.out, columns.out, w.shape[3]))
    weights = weights_of(operator, w)
    for row, column, place, seen in windows.taps(rows, columns, repeated):
        sums[place] += seen * weights[0, row, column]
    return sums.astype(np.int64)

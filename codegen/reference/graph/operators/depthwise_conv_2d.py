"""DEPTHWISE_CONV_2D: output i * multiplier + k is channel i with filter
w[0, r, c, i * multiplier + k]. Otherwise as CONV_2D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node, windows
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.conv_2d import rescaled, weights_of


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, w = given[0], given[1]
    assert x is not None and w is not None
    bias = given[2] if len(given) > 2 else None
    _, high, wide, outputs = w.shape
    repeated = np.repeat(x, outputs // x.shape[3], axis=3)
    rows, columns = windows.axes(operator, x.shape, (high, wide))
    shape = len(x), rows.out, columns.out, outputs
    if x.dtype == np.float32:
        b = np.zeros(outputs, np.float32) if bias is None else bias
        found = np.broadcast_to(b, shape).copy()
        for row, column, place, seen in windows.taps(rows, columns, repeated):
            found[place] = fma(seen, w[0, row, column], found[place])
        return node.floating(found, node.number(operator, "activation"))
    sums = np.zeros(shape)
    centred = node.centred(operator.inputs[0], repeated).astype(np.float64)
    weights = weights_of(operator, w)
    for row, column, place, seen in windows.taps(rows, columns, centred):
        sums[place] += seen * weights[0, row, column]
    return rescaled(operator, sums.astype(np.int64), bias, x.dtype == np.int16)

"""TRANSPOSE_CONV: y[i s + r - before, j s + c - before, o] gets w[o, r, c] . x[i, j], summed
over all pixels, rows and columns of x ascending. float32: from b on, one fma for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.conv_2d import rescaled, weights_of
from codegen.reference.graph.windows import Axis


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    w, x, bias = given[1], given[2], given[3] if len(given) > 3 else None
    assert x is not None and w is not None
    of = replace(operator, inputs=(operator.inputs[2], operator.inputs[1]))
    shape = operator.outputs[0].shape
    if x.dtype == np.float32:
        b = np.zeros(len(w), np.float32) if bias is None else bias
        found = np.broadcast_to(b, shape).copy()
        for pixel, rows, columns, kernel in _windows(operator, x, w):
            for channel in range(x.shape[3]):
                part, by = found[:, rows, columns], pixel[:, None, None, None, channel]
                of_channel = np.moveaxis(kernel[..., channel], 0, -1)
                found[:, rows, columns] = fma(by, of_channel, part)
        return found
    sums = np.zeros(shape)
    centred = node.centred(of.inputs[0], x).astype(np.float64)
    for pixel, rows, columns, kernel in _windows(operator, centred, weights_of(of, w)):
        sums[:, rows, columns] += np.einsum("ni,orci->nrco", pixel, kernel)
    return rescaled(of, sums.astype(np.int64), bias, False)


def _windows(
    operator: Operator, x: Array, w: Array
) -> Iterator[tuple[Array, slice, slice, Array]]:
    """Each pixel [n, c], the rows and columns of the output that it reaches, and the part
    of the filters that is there."""
    _, high, wide, _ = operator.outputs[0].shape
    padding = node.number(operator, "padding")
    down, right = (
        Axis.of(size, kernel, node.number(operator, f"stride_{name}"), 1, padding)
        for size, kernel, name in ((high, w.shape[1], "h"), (wide, w.shape[2], "w"))
    )
    for i in range(x.shape[1]):
        rows, of_rows = _reached(down, i)
        for j in range(x.shape[2]):
            columns, of_columns = _reached(right, j)
            yield x[:, i, j], rows, columns, w[:, of_rows, of_columns]


def _reached(axis: Axis, place: int) -> tuple[slice, slice]:
    begin = place * axis.stride - axis.before
    first, end = max(0, begin), max(0, min(axis.size, begin + axis.kernel))
    return slice(first, end), slice(first - begin, end - begin)

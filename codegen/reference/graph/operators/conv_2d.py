"""CONV_2D: y[o] = sum over rows, columns and channels of w[o, r, c, i] x[.., i] + b[o].

Places outside the image count as zero. Integers: exact sums, rescaled for each
channel. float32: from b on, one fma for each (row, column, channel) in turn; places
outside are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node, windows
from codegen.reference.graph.fixed_point import I64, Scale
from codegen.reference.graph.hybrid import asymmetric, symmetric
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, w = given[0], given[1]
    assert x is not None and w is not None
    bias = given[2] if len(given) > 2 else None
    fused = node.number(operator, "activation")
    if x.dtype != np.float32:
        sums = _sums(operator, node.centred(operator.inputs[0], x), w)
        return rescaled(
            operator, sums, bias, bias is not None and bias.dtype == np.int64
        )
    b = np.zeros(len(w), np.float32) if bias is None else bias
    if w.dtype == np.float32:
        return node.floating(_floats(operator, x, w, b), fused)
    return node.floating(_hybrid(operator, x, w) + b, fused)


def rescaled(operator: Operator, sums: I64, bias: Array | None, wide: bool) -> Array:
    """Sums [n, h, w, o] with their bias as numbers of the output."""
    sums = sums if bias is None else sums + bias
    factor = scale_of(operator, sums.shape[-1])
    scaled = factor.wide(sums) if wide else factor(sums)
    return node.integer(operator, scaled, node.number(operator, "activation"))


def scale_of(operator: Operator, channels: int) -> Scale:
    """Factors for each channel; of u8 there is one, whose product is rounded to
    binary32 first."""
    x, w = operator.inputs[:2]
    if w is not None and w.type == "u8":
        product = np.float32(node.scale(x)) * np.float32(node.scale(w))
        return Scale.of(float(product) / node.scale(operator.outputs[0]))
    return node.product_scale(operator, channels)


def weights_of(operator: Operator, w: Array) -> Array:
    """Weights without their zero point, in float64."""
    moved = node.zero(operator.inputs[1]) if w.dtype == np.uint8 else 0
    return w.astype(np.float64) - moved


def _sums(operator: Operator, x: I64, w: Array) -> I64:
    """Exact: they stay below 2^53."""
    outputs, high, wide, _ = w.shape
    rows, columns = windows.axes(operator, x.shape, (high, wide))
    found = np.zeros((len(x), rows.out, columns.out, outputs))
    weights = weights_of(operator, w)
    for row, column, place, seen in windows.taps(rows, columns, x.astype(np.float64)):
        found[place] += seen @ weights[:, row, column].T
    return found.astype(np.int64)


def _floats(operator: Operator, x: Array, w: Array, b: Array) -> Array:
    outputs, high, wide, _ = w.shape
    rows, columns = windows.axes(operator, x.shape, (high, wide))
    found = np.broadcast_to(b, (len(x), rows.out, columns.out, outputs)).copy()
    for row, column, place, seen in windows.taps(rows, columns, x):
        part = found[place]
        for channel in range(x.shape[3]):
            part = fma(seen[..., channel, None], w[:, row, column, channel], part)
        found[place] = part
    return found


def of_channels(x: Array, scales: Array, sums: Callable[[I64], Array]) -> Array:
    """Each image is quantised by itself, with a zero point; sums of each channel are scaled
    by that of its weights, then by that of the image."""
    found = []
    for image in x:
        quantised, scale = asymmetric(image)
        whole = sums(quantised[None].astype(np.int64))[0].astype(np.float32)
        found.append(whole * scales * scale)
    return np.stack(found)


def _hybrid(operator: Operator, x: Array, w: Array) -> Array:
    """Each image is quantised by itself."""
    scales = np.array(node.quantised(operator.inputs[1]).scales, np.float32)
    if len(scales) > 1:
        return of_channels(x, scales, lambda image: _sums(operator, image, w))
    found = []
    for image in x:
        quantised, scale = symmetric(image)
        sums = _sums(operator, quantised[None].astype(np.int64), w)
        factor = scale * np.float32(node.scale(operator.inputs[1]))
        found.append(sums[0].astype(np.float32) * np.float32(factor))
    return np.stack(found)

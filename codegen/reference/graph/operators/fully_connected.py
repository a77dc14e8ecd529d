"""FULLY_CONNECTED: y_j = sum_i w[j, i] x_i + b_j.

Integers: exact sums, rescaled. float32: from b_j on, one fma for each i in turn. Of
integer weights and float32 inputs ("hybrid"), each row of inputs is quantised,
symmetrically unless the file asks otherwise, and its sum is scaled and added in float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma_chain
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.hybrid import dynamic
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, w = given[0], given[1]
    assert x is not None and w is not None
    bias = given[2] if len(given) > 2 else None
    rows = x.reshape(-1, w.shape[1])
    fused, shape = node.number(operator, "activation"), operator.outputs[0].shape
    if x.dtype != np.float32:
        return _integers(operator, rows, w, bias).reshape(shape)
    b = np.zeros(len(w), np.float32) if bias is None else bias
    if w.dtype == np.float32:
        made = np.stack([fma_chain(row[:, None], w.T, b) for row in rows])
    else:
        freely = bool(operator.options["asymmetric"])
        made = dynamic(rows, w, node.scale(operator.inputs[1]), freely) + b
    return node.floating(made, fused).reshape(shape)


def _integers(operator: Operator, rows: Array, w: Array, b: Array | None) -> Array:
    x = node.centred(operator.inputs[0], rows).astype(np.float64)
    weights = w.astype(np.float64)
    if w.dtype == np.uint8:
        weights -= node.zero(operator.inputs[1])
    sums = (x @ weights.T).astype(np.int64)  # exact: below 2^53
    if b is not None:
        sums = sums + b
    factor, wide = _scale(operator, len(w)), b is not None and b.dtype == np.int64
    scaled = factor.wide(sums) if wide else factor(sums)
    return node.integer(operator, scaled, node.number(operator, "activation"))


def _scale(operator: Operator, outputs: int) -> Scale:
    """Of one scale of weights, the product is rounded to binary32 first."""
    if len(node.quantised(operator.inputs[1]).scales) > 1:
        return node.product_scale(operator, outputs)
    x, w = (np.float32(node.scale(one)) for one in operator.inputs[:2])
    return Scale.of(float(x * w) / node.scale(operator.outputs[0]))

"""LOGISTIC: 1 / (1 + exp(-x)); integers by a table, of 16 bits by one with gaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.graph import node, tables
from codegen.reference.graph.lookup import table
from codegen.reference.graph.node import Array

FAR = 700.0
"""From -700 down the value is 0 as binary32; further off exp has no binary64."""


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        return node.each(functions.sigmoid, x)
    if x.dtype == np.int16:
        return _of_16_bits(operator, x)
    return table(operator, x, lambda v: 1 / (1 + np.exp(np.minimum(-v, FAR))))


def _of_16_bits(operator: Operator, x: Array) -> Array:
    """Of a negative number 1 less that of its magnitude."""
    scale = node.scale(operator.inputs[0])
    size, steps = tables.sigmoid(x.astype(np.int64), scale, 9)
    whole = np.where(steps >= 0, size + (1 << 9), (1 << 25) - size + (1 << 9) - 1)
    return (whole >> 10).astype(np.int16)

"""RSQRT: 1 by the square root; either is rounded once. Integers: the root's inverse has
20 bits behind the point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale, inverse_root, multiplier
from codegen.reference.graph.node import Array

BITS = 20


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given. A number of 0 or less gives the largest."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        return np.asarray(np.float32(1) / np.sqrt(x), np.float32)
    source, output = operator.inputs[0], operator.outputs[0]
    centred = node.centred(source, x)
    factor, shift = multiplier(_real(node.scale(source), node.scale(output)))
    inverse = inverse_root(np.maximum(centred, 1))
    raised = Scale(inverse.m, inverse.shift + BITS)(np.ones_like(centred))
    scaled = Scale(np.array(factor), np.array(shift - BITS))(raised)
    return np.where(centred > 0, node.integer(operator, scaled), np.int8(127))


def _real(source: float, output: float) -> float:
    """The factor, of which the root is one of binary32."""
    return 1.0 / float(np.sqrt(np.float32(source)) * np.float32(output))

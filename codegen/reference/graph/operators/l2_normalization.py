"""L2_NORMALIZATION: each row by its length, which is at least 1e-6 of float32. Integers:
by the inverse of the length, with 7 bits behind the point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale, inverse_root
from codegen.reference.graph.node import Array

LEAST = np.float32(1e-6)
BITS = 7


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        squares = np.add.accumulate(x * x, axis=-1, dtype=np.float32)[..., -1:]
        length = np.sqrt(squares)
        length = np.where(length < LEAST, LEAST, length)
        return np.asarray(x / length, np.float32)
    centred = node.centred(operator.inputs[0], x)
    inverse = inverse_root((centred * centred).sum(axis=-1, keepdims=True))
    if x.dtype == np.uint8:  # moved up before the product, whatever comes behind
        return node.integer(operator, inverse(centred << BITS))
    return node.integer(operator, Scale(inverse.m, inverse.shift + BITS)(centred))

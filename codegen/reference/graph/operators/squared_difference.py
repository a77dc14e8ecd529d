"""SQUARED_DIFFERENCE: (x - y)^2. Integers meet at twice the larger scale, moved up by
7 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array

UP = 7


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, y = given
    assert x is not None and y is not None
    if x.dtype == np.float32:
        apart = x - y
        return np.asarray(apart * apart, np.float32)
    scales = [node.scale(one) for one in operator.inputs]
    twice = 2 * max(scales)
    a, b = (
        Scale.of(scale / twice)(node.centred(tensor, part) << UP)
        for scale, tensor, part in zip(scales, operator.inputs, (x, y), strict=True)
    )
    squares = (a - b) * (a - b)
    output = Scale.of(twice * twice / ((1 << 2 * UP) * node.scale(operator.outputs[0])))
    return node.integer(operator, output(squares))

"""MUL: the product, rescaled once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, y = given
    assert x is not None and y is not None
    fused = node.number(operator, "activation")
    if x.dtype == np.float32:
        return node.floating(x * y, fused)
    first, second, output = (
        np.float32(node.scale(one)) for one in (*operator.inputs, operator.outputs[0])
    )
    product = node.centred(operator.inputs[0], x) * node.centred(operator.inputs[1], y)
    factor = Scale.of(float(first * second / output))  # of binary32
    return node.integer(operator, factor(product), fused)

"""ADD, and what SUB has in common with it. Integers meet
at twice the larger scale, moved up by 20 bits; those of 16 bits by 15."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array

UP, UP_OF_16 = 20, 15


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    return combined(operator, given, 1)


def combined(operator: Operator, given: Sequence[Array | None], sign: int) -> Array:
    """The first with the second times `sign`, 1 or -1."""
    x, y = given
    assert x is not None and y is not None
    fused = node.number(operator, "activation")
    if x.dtype == np.float32:
        return node.floating(x + sign * y, fused)
    first, second = (node.scale(one) for one in operator.inputs)
    twice, up = 2 * max(first, second), UP_OF_16 if x.dtype == np.int16 else UP
    a, b = (
        Scale.of(scale / twice)(node.centred(tensor, part) << up)
        for scale, tensor, part in zip(
            (first, second), operator.inputs, (x, y), strict=True
        )
    )
    output = Scale.of(twice / ((1 << up) * node.scale(operator.outputs[0])))
    return node.integer(operator, output(a + sign * b), fused)

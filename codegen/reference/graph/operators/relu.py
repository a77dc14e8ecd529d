"""RELU: what is negative becomes 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    return bounded(operator, given, node.RELU)


def bounded(operator: Operator, given: Sequence[Array | None], fused: int) -> Array:
    """Numbers by the output's scale, bounded as by a fused activation."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        return node.floating(x, fused)
    source, output = operator.inputs[0], operator.outputs[0]
    factor = Scale.of(
        float(np.float32(node.scale(source)) / np.float32(node.scale(output)))
    )
    return node.integer(operator, factor(node.centred(source, x)), fused)

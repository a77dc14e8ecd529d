"""ABS: the magnitude; of integers by the output's scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        return np.abs(x)
    source, output = operator.inputs[0], operator.outputs[0]
    factor = Scale.of(
        float(np.float32(node.scale(source)) / np.float32(node.scale(output)))
    )
    size = np.abs(node.centred(source, x))
    same = node.scale(source) == node.scale(output)
    return node.integer(operator, size if same else factor(size))

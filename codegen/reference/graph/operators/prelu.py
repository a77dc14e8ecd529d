"""PRELU: x where it is positive, else alpha x; each is rescaled by a factor of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, alpha = given
    assert x is not None and alpha is not None
    if x.dtype == np.float32:
        return np.where(x >= 0, x, x * alpha).astype(np.float32)
    source, slope, output = (
        np.float32(node.scale(one)) for one in (*operator.inputs, operator.outputs[0])
    )
    above, below = (
        Scale.of(float(source / output)),
        Scale.of(float(source * slope / output)),
    )
    centred = node.centred(operator.inputs[0], x)
    product = centred * node.centred(operator.inputs[1], alpha)
    return node.integer(
        operator, np.where(centred >= 0, above(centred), below(product))
    )

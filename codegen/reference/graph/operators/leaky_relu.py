"""LEAKY_RELU: x where it is positive, else alpha x; factors of binary32."""

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
    alpha = np.float32(node.real(operator, "alpha"))
    if x.dtype == np.float32:
        return np.where(x > 0, x, alpha * x).astype(np.float32)
    source, output = (
        np.float32(node.scale(one)) for one in (operator.inputs[0], operator.outputs[0])
    )
    above, below = (
        Scale.of(float(source / output)),
        Scale.of(float(source * alpha / output)),
    )
    centred = node.centred(operator.inputs[0], x)
    made = np.where(centred >= 0, above(centred), below(centred))
    return node.integer(operator, made)

"""DEQUANTIZE: scale * (x - zero), the product rounded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float16:
        return x.astype(np.float32)
    source = operator.inputs[0]
    return (node.scale(source) * node.centred(source, x)).astype(np.float32)

"""QUANTIZE: x / scale rounded, halves away from zero; or integers by another scale."""

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
    source, output = operator.inputs[0], operator.outputs[0]
    if x.dtype == np.float32:
        whole = node.away(x / np.float32(node.scale(output)))
        whole = np.where(np.isnan(whole), -np.inf, whole)
        return node.integer(
            operator, np.clip(whole, -(2.0**31), 2.0**31).astype(np.int64)
        )
    factor = Scale.of(node.scale(source) / node.scale(output))
    scaled = factor(node.centred(source, x))
    return (
        scaled.astype(np.int32)
        if output.type == "i32"
        else node.integer(operator, scaled)
    )

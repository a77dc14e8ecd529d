"""DEPTH_TO_SPACE: channels, of which the block is the outer part, become pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,), block = given, node.number(operator, "block")
    assert x is not None
    n, h, w, c = x.shape
    parts = x.reshape(n, h, w, block, block, c // block**2).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(parts).reshape(operator.outputs[0].shape)

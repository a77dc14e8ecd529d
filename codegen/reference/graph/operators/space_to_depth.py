"""SPACE_TO_DEPTH: pixels of a block become the outer part of channels."""

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
    parts = x.reshape(n, h // block, block, w // block, block, c)
    turned = np.ascontiguousarray(parts.transpose(0, 1, 3, 2, 4, 5))
    return turned.reshape(operator.outputs[0].shape)

"""Functions of integers of 8 bits, as a table of all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def table(operator: Operator, x: Array, function: Callable[[Array], Array]) -> Array:
    """`function`, of float64, of each x: its value as binary32, by the output's scale."""
    source, output = operator.inputs[0], operator.outputs[0]
    value = np.float32(node.scale(source)) * node.centred(source, x).astype(np.float32)
    inverse = np.float32(1) / np.float32(node.scale(output))
    found = function(value.astype(np.float64)).astype(np.float32)
    return node.integer(operator, node.away(found * inverse).astype(np.int64))

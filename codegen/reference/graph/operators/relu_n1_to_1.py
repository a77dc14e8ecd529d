"""RELU_N1_TO_1: from -1 to 1."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.relu import bounded


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    return bounded(operator, given, node.RELU_N1_TO_1)

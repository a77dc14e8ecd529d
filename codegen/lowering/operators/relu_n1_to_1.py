"""RELU_N1_TO_1."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.relu import bounded
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return bounded(c, operator, 2)

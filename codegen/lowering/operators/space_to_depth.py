"""SPACE_TO_DEPTH."""

from __future__ import annotations

from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved
from codegen.lowering.operators.depth_to_space import turned
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    n, deep, flat = turned(operator.outputs[0].shape, number(operator, "block"))
    return moved(c, operator, x, y, Walk(n, flat, deep))

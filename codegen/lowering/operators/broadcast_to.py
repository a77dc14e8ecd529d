"""BROADCAST_TO: numbers are read again."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, spread, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y, whole = operator.inputs[0], operator.outputs[0], operator.outputs[0].shape
    walk = Walk(whole, tuple(spread(dims(operator), whole)), strides(whole))
    return moved(c, operator, c.activation(x), c.activation(y), walk)

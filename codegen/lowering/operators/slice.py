"""SLICE: of each axis, so many places from one on."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.slice import places
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y, steps = operator.inputs[0], operator.outputs[0], strides(dims(operator))
    pairs = zip(places(operator), steps, strict=True)
    first = sum(taken.start * step for taken, step in pairs)
    walk = Walk(y.shape, steps, strides(y.shape), reads_first=first)
    return moved(c, operator, c.activation(x), c.activation(y), walk)

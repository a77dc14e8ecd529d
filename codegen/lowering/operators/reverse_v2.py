"""REVERSE_V2: one axis is read from its end."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.split import axis_of
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    shape, axis = dims(operator), axis_of(operator, 1)
    steps = strides(shape)
    reads = tuple(-step if k == axis else step for k, step in enumerate(steps))
    last = (shape[axis] - 1) * steps[axis]
    return moved(c, operator, x, y, Walk(shape, reads, steps, reads_first=last))

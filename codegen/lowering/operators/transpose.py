"""TRANSPOSE: axes in another order."""

from __future__ import annotations

from codegen.graph.checks import constants, dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    steps, order = strides(dims(operator)), constants(operator.inputs[1]) or ()
    walk = Walk(y.shape, tuple(steps[axis] for axis in order), strides(y.shape))
    return moved(c, operator, c.activation(x), c.activation(y), walk)

"""TILE: numbers are read again for each time."""

from __future__ import annotations

from codegen.graph.checks import constants, dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, which goes along each axis and before that along its times."""
    shape, times = dims(operator), constants(operator.inputs[1]) or ()
    x, y = operator.inputs[0], operator.outputs[0]
    axes = zip(shape, times, strides(shape), strides(y.shape), strict=True)
    steps = [
        one
        for n, count, read, write in axes
        for one in ((count, 0, n * write), (n, read, write))
    ]
    n, reads, writes = zip(*steps, strict=True)
    return moved(c, operator, c.activation(x), c.activation(y), Walk(n, reads, writes))

"""STRIDED_SLICE: of each axis, every so many places from one to another."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.strided_slice import places
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    axes = [*zip(places(operator), strides(dims(operator)), strict=True)]
    n = tuple(len(taken) for taken, _ in axes)
    reads = tuple(taken.step * step for taken, step in axes)
    first = sum(taken[0] * step for taken, step in axes)
    walk = Walk(n, reads, strides(n), reads_first=first)
    return moved(c, operator, c.activation(x), c.activation(y), walk)

"""PAD: the output is filled with the zero point, then the input is written into it."""

from __future__ import annotations

from codegen.graph.checks import constants, dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, zero
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """Two calls."""
    y = operator.outputs[0]
    return padded(c, operator, 0.0 if y.type == "f32" else zero(y))


def padded(c: GraphComposer, operator: Operator, value: float) -> tuple[Op, ...]:
    """The same by another number."""
    x, y = c.activation(operator.inputs[0]), operator.outputs[0]
    made = c.activation(y)
    filled = call("fill", operator, v=made, value=value, n=y.elements)
    steps, before = strides(y.shape), (constants(operator.inputs[1]) or ())[::2]
    first = sum(n * step for n, step in zip(before, steps, strict=True))
    shape = dims(operator)
    walk = Walk(shape, strides(shape), steps, writes_first=first)
    return (*filled, *moved(c, operator, x, made, walk))

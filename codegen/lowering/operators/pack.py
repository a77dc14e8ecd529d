"""PACK: tensors of one shape, along a new axis."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.pack import place
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call for each of them."""
    y, shape, axis = operator.outputs[0], dims(operator), place(operator)
    made, steps = c.activation(y), strides(y.shape)
    writes = (*steps[:axis], *steps[axis + 1 :])
    found: list[Op] = []
    for number, x in enumerate(operator.inputs):
        walk = Walk(shape, strides(shape), writes, writes_first=number * steps[axis])
        found += moved(c, operator, c.activation(x), made, walk)
    return tuple(found)

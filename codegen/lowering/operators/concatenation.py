"""CONCATENATION: tensors side by side along one axis."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call for each of them."""
    return tuple(_each(c, operator))


def _each(c: GraphComposer, operator: Operator) -> Iterator[Op]:
    y, axis = operator.outputs[0], number(operator, "axis")
    made, steps, before = c.activation(y), strides(y.shape), 0
    for x in filter(None, operator.inputs):
        first = before * steps[axis]
        walk = Walk(x.shape, strides(x.shape), steps, writes_first=first)
        yield from moved(c, operator, c.activation(x), made, walk)
        before += x.shape[axis]

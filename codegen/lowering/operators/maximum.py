"""MAXIMUM, and what MINIMUM has in common with it."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.repeating import pair, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "either", "scratch"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what writes out a tensor."""
    return either(c, operator, "maximum")


def either(c: GraphComposer, operator: Operator, operation: str) -> tuple[Op, ...]:
    """One number of each two."""
    y, (before, given) = operator.outputs[0], pair(c, operator)
    made = call(operation, operator, y=c.activation(y), n=y.elements, **given)
    return (*before, *made)

"""ARG_MAX."""

from __future__ import annotations

from math import prod

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.split import axis_of
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return found(c, operator, "arg_max")


def found(c: GraphComposer, operator: Operator, operation: str) -> tuple[Op, ...]:
    """The place along an axis that an operation finds."""
    shape, axis = dims(operator), axis_of(operator, 1)
    return call(
        operation, operator, x=c.activation(operator.inputs[0]),
        y=c.activation(operator.outputs[0]), outer=prod(shape[:axis]), count=shape[axis],
        inner=prod(shape[axis + 1 :]),
    )  # fmt: skip

"""ABS."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, scale
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.functions import of_floats
from codegen.lowering.operators.relu import table
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call; of equal scales there is no factor."""
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "f32":
        return of_floats(c, operator, "absolute")
    factor = Factor.of(binary32(scale(x) / scale(y)))
    if scale(x) == scale(y):
        return table(c, operator, abs)
    return table(c, operator, lambda value: factor(abs(value)))

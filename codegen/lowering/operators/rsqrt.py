"""RSQRT: of integers a table, in which the root's inverse has 20 bits behind the point."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, scale
from codegen.lowering.fixed_point import Factor, binary32, inverse_root
from codegen.lowering.functions import of_floats
from codegen.lowering.operators.relu import table
from codegen.program import Op

TYPES = ("i8", "f32")
BITS = 20
FULL = 255
"""More than any output; numbers of 0 or less give the largest."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "f32":
        return of_floats(c, operator, "inverse_root")
    whole = Factor.of(1 / binary32(binary32(scale(x) ** 0.5) * scale(y)))
    factor = Factor(whole.m, whole.e + BITS)

    def each(value: int) -> int:
        if value <= 0:
            return FULL
        inverse = inverse_root(value)
        return factor(Factor(inverse.m, inverse.e - BITS)(1))

    return table(c, operator, each)

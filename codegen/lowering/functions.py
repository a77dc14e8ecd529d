"""Functions of real numbers as tables."""

from __future__ import annotations

from collections.abc import Callable

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, scale
from codegen.lowering.fixed_point import binary32, nearest
from codegen.lowering.operators.relu import table
from codegen.program import Op


def of_reals(
    c: GraphComposer, operator: Operator, function: Callable[[float], float]
) -> tuple[Op, ...]:
    """`function` in binary64, its value as binary32 by the output's scale."""
    source, inverse = (
        scale(operator.inputs[0]),
        binary32(1 / scale(operator.outputs[0])),
    )

    def each(x: int) -> int:
        value = binary32(function(binary32(source * x)))
        return nearest(binary32(value * inverse))

    return table(c, operator, each)

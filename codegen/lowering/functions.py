"""Functions of real numbers: of integers as tables."""

from __future__ import annotations

from collections.abc import Callable

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale
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


def in_place(c: GraphComposer, operator: Operator, function: str) -> tuple[Op, ...]:
    """A function of float32 that networks have as well: it computes in its output."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    n = operator.outputs[0].elements
    before = call("copy", operator, v=x, x=y, n=n)
    return (*before, *call(function, operator, h=y, n=n))


def of_floats(c: GraphComposer, operator: Operator, function: str) -> tuple[Op, ...]:
    """A function of float32 that only imported models have."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    return call(function, operator, x=x, y=y, n=operator.outputs[0].elements)

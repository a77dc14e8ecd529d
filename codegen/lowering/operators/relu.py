"""RELU, and all operators of one number: 256 numbers have a table of what they give."""

from __future__ import annotations

from collections.abc import Callable

from codegen.formats import I8
from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, bounds, call, scale, zero
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.floating import bounded_by
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return bounded(c, operator, 1)


def bounded(c: GraphComposer, operator: Operator, fused: int) -> tuple[Op, ...]:
    """Numbers by the output's scale, bounded as by a fused activation."""
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "f32":
        given = {"x": c.activation(x), "y": c.activation(y)}
        return call("bounded", operator, n=y.elements, **given, **bounded_by(fused))
    factor = Factor.of(binary32(scale(x) / scale(y)))
    if y.type == "i16":
        return bent(c, operator, [factor], fused)
    return table(c, operator, factor, fused)


def bent(
    c: GraphComposer, operator: Operator, factors: list[Factor], fused: int = 0
) -> tuple[Op, ...]:
    """Numbers of 16 bits by a factor, or by one where they are not negative and another."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    by, n = scaling.scales(c, operator, factors, fused), operator.outputs[0].elements
    kind = "bent" if operator.outputs[0].type == "i16" else "requantize"
    return call(kind, operator, x=x, by=by, y=y, n=n)


def table(
    c: GraphComposer, operator: Operator, function: Callable[[int], int], fused: int = 0
) -> tuple[Op, ...]:
    """A function from numbers without zero point to numbers without zero point."""
    x, y = operator.inputs[0], operator.outputs[0]
    low, high = bounds(y, fused)
    every = ((k + 128) % 256 - 128 for k in range(256))
    found = (zero(y) + function(one - zero(x)) for one in every)
    values = (min(max(one, low), high) for one in found)
    return call(
        "lookup", operator, x=c.activation(x), y=c.activation(y), n=y.elements,
        table=c.constant(operator, "table", I8, values),
    )  # fmt: skip

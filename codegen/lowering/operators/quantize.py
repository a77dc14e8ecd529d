"""QUANTIZE: of float32, or from one scale to another."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale, zero
from codegen.lowering.fixed_point import Factor
from codegen.lowering.operators.relu import bent, table
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    given = {"x": c.activation(x), "y": c.activation(y)}
    if x is not None and x.type == "f32":
        return call(
            "quantize", operator, scale=scale(y), zero=zero(y), n=y.elements, **given
        )
    factor = Factor.of(scale(x) / scale(y))
    if y.type == "i32":
        wide = {"zero": zero(x), "m": factor.m, "e": factor.e, "n": y.elements}
        return call("requantize_wide", operator, **given, **wide)
    if x is not None and x.type == "i16":
        return bent(c, operator, [factor])
    return table(c, operator, factor)

"""DEQUANTIZE: integers as float32."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale, zero
from codegen.program import Op

TYPES = ("i8", "i16")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    return call(
        "quantize", operator, x=c.activation(x), scale=scale(x), zero=zero(x),
        y=c.activation(y), n=y.elements,
    )  # fmt: skip

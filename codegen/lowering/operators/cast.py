"""CAST. Numbers without a sign are 128 less where they lie."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering import legacy
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op

TYPES = ("i8", "i16", "i32", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = operator.inputs[0], operator.outputs[0]
    assert x is not None
    given = {"x": c.activation(x), "y": c.activation(y), "n": y.elements}
    if x.type not in ("i8", "i16"):
        return call("cast", operator, **given)
    zero = -legacy.HALF if legacy.unsigned(operator) else 0
    if y.type == "f32":
        return call("quantize", operator, scale=1.0, zero=zero, **given)
    return call("cast", operator, zero=zero, **given)

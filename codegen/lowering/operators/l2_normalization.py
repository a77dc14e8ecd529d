"""L2_NORMALIZATION."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import legacy
from codegen.lowering.composer import GraphComposer, call, zero
from codegen.program import Op

TYPES = ("i8", "f32")
BITS = 7
"""Bits behind the point of an output; numbers without a sign are moved up by them before
they are multiplied."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all rows."""
    x, y, n = operator.inputs[0], operator.outputs[0], dims(operator)[-1]
    given = {
        "x": c.activation(x),
        "y": c.activation(y),
        "count": y.elements // n,
        "n": n,
    }
    if y.type == "f32":
        return call("l2_normalize", operator, **given)
    up = BITS if legacy.unsigned(operator) else 0
    return call("l2_normalize", operator, zero=zero(x), up=up, **given)

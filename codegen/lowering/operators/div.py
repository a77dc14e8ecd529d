"""DIV."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering import floating
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.repeating import pair, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("f32",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what writes out a tensor."""
    before, given = pair(c, operator)
    given |= {"y": c.activation(operator.outputs[0]), "n": operator.outputs[0].elements}
    made = call("quotient", operator, **given, **floating.limits(operator))
    return (*before, *made)

"""PRELU."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call, scale, zero
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.repeating import pair, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what writes out a tensor; factors are of binary32."""
    (x, v), y = operator.inputs, operator.outputs[0]
    before, given = pair(c, operator)
    given |= {"y": c.activation(y), "n": y.elements}
    if y.type == "f32":
        return (*before, *call("prelu", operator, **given))
    above = Factor.of(binary32(scale(x) / scale(y)))
    below = Factor.of(binary32(binary32(scale(x) * scale(v)) / scale(y)))
    by = scaling.scales(c, operator, [above, below], 0)
    return (*before, *call("prelu", operator, by=by, v_zero=zero(v), **given))

"""SQUARED_DIFFERENCE."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, bounds, call, scale, zero
from codegen.lowering.fixed_point import Factor
from codegen.lowering.repeating import pair, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("i8", "f32")
UP = 7
"""Bits by which both are moved up before they meet at twice the larger scale."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what writes out a tensor."""
    (x, v), y = operator.inputs, operator.outputs[0]
    before, given = pair(c, operator)
    given |= {"y": c.activation(y), "n": y.elements}
    if y.type == "f32":
        return (*before, *call("squared_difference", operator, **given))
    twice = 2 * max(scale(x), scale(v))
    of_x, of_v = Factor.of(scale(x) / twice), Factor.of(scale(v) / twice)
    of_y = Factor.of(twice * twice / ((1 << 2 * UP) * scale(y)))
    low, high = bounds(y)
    by = c.record(
        operator, "hil_sums_t", x_m=of_x.m, x_e=of_x.e, x_zero=zero(x), v_m=of_v.m,
        v_e=of_v.e, v_zero=zero(v), sign=-1, m=of_y.m, e=of_y.e, y_zero=zero(y),
        low=low, high=high,
    )  # fmt: skip
    return (*before, *call("squared_difference", operator, by=by, **given))

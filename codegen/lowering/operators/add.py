"""ADD, and what SUB has in common with it."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering import floating, overlap
from codegen.lowering.composer import GraphComposer, bounds, call, scale, zero
from codegen.lowering.fixed_point import Factor
from codegen.lowering.repeating import pair, scratch
from codegen.program import Op

UP = {"i8": 20, "i16": 15}
"""Bits by which both are moved up before they meet at twice the larger scale."""

__all__ = ["TYPES", "calls", "leads", "scratch", "summed"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return summed(c, operator, 1)


def summed(c: GraphComposer, operator: Operator, sign: int) -> tuple[Op, ...]:
    """The first and `sign` times the second."""
    (x, v), y = operator.inputs, operator.outputs[0]
    before, given = pair(c, operator)
    given["y"] = c.activation(y)
    if y.type == "f32":
        limits = floating.limits(operator)
        made = call("sum", operator, sign=float(sign), n=y.elements, **given, **limits)
        return (*before, *made)
    twice = 2 * max(scale(x), scale(v))
    of_x, of_v = Factor.of(scale(x) / twice), Factor.of(scale(v) / twice)
    of_y = Factor.of(twice / ((1 << UP[y.type]) * scale(y)))
    low, high = bounds(y, number(operator, "activation"))
    by = c.record(
        operator, "hil_sums_t", x_m=of_x.m, x_e=of_x.e, x_zero=zero(x), v_m=of_v.m,
        v_e=of_v.e, v_zero=zero(v), sign=sign, m=of_y.m, e=of_y.e, y_zero=zero(y),
        low=low, high=high,
    )  # fmt: skip
    return (*before, *call("sum", operator, by=by, n=y.elements, **given))


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Number by number, of i8."""
    return overlap.of_numbers(operator) if operator.outputs[0].type == "i8" else {}

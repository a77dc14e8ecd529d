"""MEAN over axes."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import BITS, Factor
from codegen.lowering.reducing import reduced, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what brings the axes together."""
    before, given = reduced(c, operator)
    if operator.outputs[0].type == "f32":
        return (*before, *call("mean", operator, **given))
    whole = Factor.of(scale(operator.inputs[0]) / scale(operator.outputs[0]))
    factor = _divided(whole, int(given["count"]))  # type: ignore[arg-type]
    by = scaling.scales(c, operator, [factor], 0)
    return (*before, *call("mean", operator, by=by, **given))


def _divided(factor: Factor, count: int) -> Factor:
    """By a count, m keeping as many bits more as the count has."""
    more = min(count.bit_length() - 1, 32, BITS - factor.e)
    return Factor((factor.m << more) // count, factor.e + more)

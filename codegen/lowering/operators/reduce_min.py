"""REDUCE_MIN over axes."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.reducing import reduced, scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what brings the axes together."""
    before, given = reduced(c, operator)
    return (*before, *call("smallest", operator, **given))

"""SUB."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.add import leads, summed
from codegen.lowering.repeating import scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "leads", "scratch"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return summed(c, operator, -1)

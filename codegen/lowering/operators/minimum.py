"""MINIMUM."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.maximum import either
from codegen.lowering.repeating import scratch
from codegen.program import Op

__all__ = ["TYPES", "calls", "scratch"]

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call, behind what writes out a tensor."""
    return either(c, operator, "minimum")

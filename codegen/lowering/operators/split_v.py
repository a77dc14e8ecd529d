"""SPLIT_V."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.graph.operators.split import axis_of
from codegen.graph.operators.split_v import sizes
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.split import parted
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call for each part."""
    return tuple(parted(c, operator, 0, axis_of(operator, 2), sizes(operator)))

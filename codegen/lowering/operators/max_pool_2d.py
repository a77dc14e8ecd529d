"""MAX_POOL_2D."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.average_pool_2d import pooled
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    return pooled(c, operator, "max_pool_2d")

"""SQUEEZE: what it gives lies where its input lies (codegen/graph/arena.py)."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.program import Op

TYPES = ("i8", "i16", "i32", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """None."""
    return ()

"""SQRT."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.functions import of_floats
from codegen.program import Op

TYPES = ("f32",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return of_floats(c, operator, "root")

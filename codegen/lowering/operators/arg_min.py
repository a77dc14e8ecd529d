"""ARG_MIN."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.arg_max import found
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return found(c, operator, "arg_min")

"""UNPACK: parts of one place each."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.graph.operators.unpack import place
from codegen.lowering.composer import GraphComposer
from codegen.lowering.operators.split import parted
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call for each of them."""
    ones = [1] * len(operator.outputs)
    return tuple(parted(c, operator, 0, place(operator), ones))

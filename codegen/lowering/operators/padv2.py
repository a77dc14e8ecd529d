"""PADV2: as PAD, by a number of its own."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, numbers
from codegen.lowering.operators.pad import padded
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """Two calls."""
    value = operator.inputs[2]
    assert value is not None
    return padded(c, operator, numbers(value)[0])

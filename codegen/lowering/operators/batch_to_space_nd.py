"""BATCH_TO_SPACE_ND: the way of SPACE_TO_BATCH_ND back."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved
from codegen.lowering.operators.space_to_batch_nd import walks
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """A call for each image of a block."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    found: list[Op] = []
    for there in walks(operator, operator.outputs[0].shape, dims(operator)):
        back = Walk(
            there.n, there.writes, there.reads, there.writes_first, there.reads_first
        )
        found += moved(c, operator, x, y, back)
    return tuple(found)

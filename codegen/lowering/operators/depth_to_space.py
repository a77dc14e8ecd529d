"""DEPTH_TO_SPACE, and what SPACE_TO_DEPTH has in common with it."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.graph.checks import dims, number
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    n, deep, flat = turned(dims(operator), number(operator, "block"))
    return moved(c, operator, x, y, Walk(n, deep, flat))


def turned(
    deep: Sequence[int], block: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Six axes [image, row, row of a block, column, column of a block, channel]: how many
    places, and the steps in a tensor that has blocks as channels and in one of pixels."""
    images, high, wide, depth = deep
    inner = depth // block**2
    n = (images, high, block, wide, block, inner)
    a, b, c, d = strides(deep)
    return n, (a, b, block * inner, c, inner, d), strides(n)

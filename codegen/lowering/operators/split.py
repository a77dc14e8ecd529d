"""SPLIT, and what SPLIT_V has in common with it: one call for each part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators import split
from codegen.lowering.composer import GraphComposer
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op

TYPES = ("i8", "i16", "f32")
GIVEN = split.GIVEN


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call for each part."""
    axis = split.axis_of(operator, 0, GIVEN)
    return tuple(parted(c, operator, GIVEN, axis, split.sizes(operator)))


def parted(
    c: GraphComposer, operator: Operator, given: int, axis: int, sizes: Sequence[int]
) -> Iterator[Op]:
    """Parts of so many places of an axis."""
    x, steps, before = (
        c.activation(operator.inputs[given]),
        strides(dims(operator, given)),
        0,
    )
    for output, size in zip(operator.outputs, sizes, strict=True):
        shape = split.part(operator, axis, size, given)
        walk = Walk(shape, steps, strides(shape), reads_first=before * steps[axis])
        yield from moved(c, operator, x, c.activation(output), walk)
        before += size

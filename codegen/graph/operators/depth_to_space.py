"""DEPTH_TO_SPACE: channels become a block of pixels."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

FIELDS = (Field("block", 0, "i", 0),)


def told(operator: Operator) -> Problems:
    """An image, a block of at least a pixel, and one scale on both sides."""
    yield from checks.rank(operator.inputs[0], 4)
    yield from checks.positive(operator, "block")
    yield from checks.alike(operator.inputs[0], operator.outputs[0])


def _shape(operator: Operator) -> tuple[int, ...]:
    (n, h, w, c), block = dims(operator), number(operator, "block")
    return n, h * block, w * block, c // block**2


def _check(operator: Operator) -> Problems:
    found, x = [*told(operator)], operator.inputs[0]
    yield from found
    if not found and dims(operator)[3] % number(operator, "block") ** 2:
        yield f"{x} has {dims(operator)[3]} channels: expected a multiple of the block's pixels"


OPERATOR = Declaration(
    name="DEPTH_TO_SPACE",
    table=94,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    fields=FIELDS,
    shape=_shape,
    check=_check,
)

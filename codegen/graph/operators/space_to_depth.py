"""SPACE_TO_DEPTH: a block of pixels becomes channels."""

from __future__ import annotations

from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.depth_to_space import FIELDS, told


def _shape(operator: Operator) -> tuple[int, ...]:
    (n, h, w, c), block = dims(operator), number(operator, "block")
    return n, h // block, w // block, c * block**2


def _check(operator: Operator) -> Problems:
    found, x = [*told(operator)], operator.inputs[0]
    yield from found
    if not found and any(n % number(operator, "block") for n in dims(operator)[1:3]):
        yield f"{x} has shape {list(dims(operator))}: expected multiples of the block"


OPERATOR = Declaration(
    name="SPACE_TO_DEPTH",
    table=19,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    fields=FIELDS,
    shape=_shape,
    check=_check,
)

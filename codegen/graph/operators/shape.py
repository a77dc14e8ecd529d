"""SHAPE: the sizes of a tensor, which the file fixes."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    return (len(dims(operator)),)


OPERATOR = Declaration(
    name="SHAPE",
    table=55,
    newest=1,
    types=tuple(f"{one} > i32" for one in ("i8", "u8", "i16", "i32", "f32")),
    shape=_shape,
)

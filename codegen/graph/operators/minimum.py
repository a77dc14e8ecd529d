"""MINIMUM: the smaller of two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.add import together
from codegen.graph.operators.maximum import check

OPERATOR = Declaration(
    name="MINIMUM",
    table=39,
    newest=2,
    types=("i8 i8 > i8", "u8 u8 > u8", "i16 i16 > i16", "f32 f32 > f32"),
    shape=together,
    check=check,
)

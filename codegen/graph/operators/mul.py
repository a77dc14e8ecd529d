"""MUL: two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph.declaration import Declaration, Field
from codegen.graph.operators.add import check, together

OPERATOR = Declaration(
    name="MUL",
    table=21,
    newest=6,
    types=("i8 i8 > i8", "u8 u8 > u8", "i16 i16 > i16", "f32 f32 > f32"),
    fields=(Field("activation", 0, "b", 0),),
    shape=together,
    check=check,
)

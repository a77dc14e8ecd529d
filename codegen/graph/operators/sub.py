"""SUB: two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.add import FIELDS, added, together

OPERATOR = Declaration(
    name="SUB",
    table=28,
    newest=5,
    types=("i8 i8 > i8", "u8 u8 > u8", "i16 i16 > i16", "f32 f32 > f32"),
    fields=FIELDS,
    shape=together,
    check=added,
)

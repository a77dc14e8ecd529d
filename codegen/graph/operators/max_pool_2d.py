"""MAX_POOL_2D: the largest of a window."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.average_pool_2d import FIELDS, check, pooled

OPERATOR = Declaration(
    name="MAX_POOL_2D",
    table=5,
    newest=3,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=FIELDS,
    shape=pooled,
    check=check,
)

"""CAST: numbers of another type, whatever scale they have."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration

OPERATOR = Declaration(
    name="CAST",
    table=37,
    newest=5,
    types=(
        *(f"{one} > f32" for one in ("i8", "u8", "i16", "i32")),
        *(f"{one} > i32" for one in ("i8", "u8", "i16", "f32")),
    ),
    shape=dims,
)

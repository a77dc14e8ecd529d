"""PRELU: x where it is positive, else alpha x, with an alpha for each channel."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.add import scaled, together

OPERATOR = Declaration(
    name="PRELU",
    table=0,
    newest=1,
    types=("i8 i8 > i8", "u8 u8 > u8", "f32 f32 > f32"),
    shape=together,
    check=scaled,
)

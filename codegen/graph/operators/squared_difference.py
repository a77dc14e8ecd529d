"""SQUARED_DIFFERENCE: of two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.add import scaled, together

OPERATOR = Declaration(
    name="SQUARED_DIFFERENCE",
    table=76,
    newest=2,
    types=("i8 i8 > i8", "f32 f32 > f32"),
    shape=together,
    check=scaled,
)

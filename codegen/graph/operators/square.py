"""SQUARE: The product with itself."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="SQUARE",
    table=66,
    newest=1,
    types=("f32 > f32",),
    shape=dims,
    check=check,
)

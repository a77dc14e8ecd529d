"""RSQRT: 1 by the square root."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="RSQRT",
    table=0,
    newest=3,
    types=("i8 > i8", "f32 > f32"),
    shape=dims,
    check=check,
)

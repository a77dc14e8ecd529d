"""HARD_SWISH: x min(max(x + 3, 0), 6) / 6."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="HARD_SWISH",
    table=0,
    newest=1,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    shape=dims,
    check=check,
)

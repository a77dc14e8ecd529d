"""RELU6: from 0 to 6."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="RELU6",
    table=0,
    newest=2,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    shape=dims,
    check=check,
)

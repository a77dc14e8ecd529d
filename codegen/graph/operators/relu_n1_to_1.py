"""RELU_N1_TO_1: from -1 to 1."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="RELU_N1_TO_1",
    table=0,
    newest=1,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    shape=dims,
    check=check,
)

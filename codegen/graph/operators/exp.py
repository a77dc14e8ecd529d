"""EXP: The exponential function."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="EXP",
    table=33,
    newest=2,
    types=(
        "i8 > i8",
        "f32 > f32",
    ),
    shape=dims,
    check=check,
)

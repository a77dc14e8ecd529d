"""ELU: x where it is positive, else exp(x) - 1."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="ELU",
    table=0,
    newest=1,
    types=("i8 > i8", "f32 > f32"),
    shape=dims,
    check=check,
)

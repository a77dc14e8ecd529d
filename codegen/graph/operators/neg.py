"""NEG: The number of the other sign."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="NEG",
    table=42,
    newest=2,
    types=("f32 > f32",),
    shape=dims,
    check=check,
)
